export { autoencoderKL } from './autoencoder-kl.ts'
export { clipTextModel, clipTextModelWithProjection, clipVisionModelWithProjection } from './clip.ts'
export { type ConfiguredModel, entryNamed, type ModelEntry } from './model-entry.ts'
export { unet2DCondition } from './unet-2d-condition.ts'
