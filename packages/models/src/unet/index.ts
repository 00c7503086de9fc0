export { type Attention, type BlockCall, type BlockSizes, DownBlock, MidBlock, UpBlock } from './blocks.ts'
export {
  type DownBlockType, type MidBlockType, type ResolvedUNet2DConfig, type UNet2DConfig, type UpBlockType,
} from './config.ts'
export { resolveUNet2DConfig } from './resolve-config.ts'
export { addResiduals, type Residuals } from './residuals.ts'
export { type UNet2DCondition, UNet2DConditionModel, type UNet2DOptions } from './unet-2d-condition.ts'
export { flopsOf, flopsPerImage, parameterCount } from './cost.ts'
