export { timestepEmbedding, TimestepEmbedding, type TimestepWaves } from './embeddings.ts'
export { identityAttention } from './identity-attention.ts'
export { type Compute, Pass, type PassInput, type Wrapper, type Wrappers } from './pass.ts'
export { patchesToPixels, pixelsToPatches } from './patches.ts'
export { Downsample2D, ResnetBlock2D, type ResnetSizes, Upsample2D } from './resnet.ts'
export {
  AttentionBlock2D, BasicTransformerBlock, FeedForward, GEGLU, Transformer2DModel, type Transformer2DSizes,
  type TransformerSizes,
} from './transformer.ts'
export { joinWrappers, wrappersOf } from './wrappers.ts'
