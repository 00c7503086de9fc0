export type { Layer } from './layer.ts'
export { batchToFrames, framesToBatch, repeatFrames } from './layout.ts'
export { framePositions } from './positions.ts'
export {
  temporalAttention, TemporalAttention, type TemporalAttentionLayers, type TemporalAttentionSizes,
} from './temporal-attention.ts'
export { temporalConv, TemporalConv, type TemporalConvSizes } from './temporal-conv.ts'
