export * from './autoencoder/index.ts'
export * from './checkpoints/index.ts'
export * from './clip/index.ts'
export * from './files/index.ts'
export * from './keymaps/index.ts'
export * from './layers/index.ts'
export * from './textual-inversion/index.ts'
export * from './tokenizers/index.ts'
export {
  autoencoderKL, clipTextModel, clipTextModelWithProjection, clipVisionModelWithProjection, type ConfiguredModel,
  controlNet, type ModelEntry, unet2DCondition,
} from './registry/index.ts'
export * from './unet/index.ts'
