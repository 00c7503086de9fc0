export { type Activation, activate, activations, normActivate } from './activation.ts'
export { AddedContextAttention2D, type AddedContextAttentionSizes } from './added-context-attention.ts'
export {
  FourierFeatures, timestepEmbedding, TimestepEmbedding, type TimestepEmbeddingOptions, type TimestepWaves,
} from './embeddings.ts'
export { type Attend, attending } from './attending.ts'
export { identityAttention } from './identity-attention.ts'
export { type Compute, Pass, type PassInput, type Wrapper, type Wrappers } from './pass.ts'
export { patchesToPixels, pixelsToPatches } from './patches.ts'
export { Downsample2D, ResnetBlock2D, type ResnetSizes, Upsample2D } from './resnet.ts'
export { TextTimeEmbedding } from './text-time-embedding.ts'
export {
  AttentionBlock2D, BasicTransformerBlock, FeedForward, GEGLU, Transformer2DModel, type Transformer2DSizes,
  type TransformerSizes,
} from './transformer.ts'
export { joinWrappers, wrappersOf } from './wrappers.ts'
