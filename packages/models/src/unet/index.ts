export { type Attention, type BlockCall, type BlockSizes, DownBlock, MidBlock, UpBlock } from './blocks.ts'
export { type DownBlockType, type MidBlockType, type ResolvedUNet2DConfig, type UNet2DConfig, type UpBlockType } from './config.ts'
export { resolveUNet2DConfig } from './resolve-config.ts'
export { timestepEmbedding, TimestepEmbedding, type TimestepWaves } from './embeddings.ts'
export { patchesToPixels, pixelsToPatches } from './patches.ts'
export { Downsample2D, ResnetBlock2D, type ResnetSizes, Upsample2D } from './resnet.ts'
export {
  AttentionBlock2D, BasicTransformerBlock, FeedForward, GEGLU, Transformer2DModel, type Transformer2DSizes, type TransformerSizes,
} from './transformer.ts'
export { type UNet2DCondition, UNet2DConditionModel } from './unet-2d-condition.ts'
export { flopsOf, flopsPerImage, parameterCount } from './cost.ts'
