export type { Attention } from './attention.ts'
export { type BlockWeights, blockWeights, type WayWeights } from './block-weights.ts'
export { type BlockCall, type BlockSizes, DownBlock, MidBlock, UpBlock } from './blocks.ts'
export type {
  ClassEmbedType, DownBlockType, LayerCounts, MidBlockType, ResolvedUNet2DConfig, UNet2DConfig, UpBlockType,
} from './config.ts'
export { ControlNetModel, type ControlNetOptions } from './controlnet.ts'
export { type ControlNetConfig, type ResolvedControlNetConfig, resolveControlNetConfig } from './controlnet-config.ts'
export { resolveUNet2DConfig } from './resolve-config.ts'
export { addResiduals, type Residuals } from './residuals.ts'
export { UNet2DConditionModel } from './unet-2d-condition.ts'
export type { UNet2DOptions } from './unet-encoder.ts'
export type { UNet2DCondition } from './unet-input.ts'
export { flopsOf, flopsPerImage, parameterCount } from './cost.ts'
