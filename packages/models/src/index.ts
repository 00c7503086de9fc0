export * from './autoencoder/index.ts'
export {
  checkpointRanges, type CheckpointSource, type Component, type Family, folderAt, identify, type Identity, type LoadProgress,
  openCheckpoint, type OpenCheckpoint, type OpenCheckpointOptions, type ReadingOptions,
} from './checkpoints/index.ts'
export * from './clip/index.ts'
export * from './files/index.ts'
export * from './ip-adapter/index.ts'
export * from './keymaps/index.ts'
export * from './layers/index.ts'
export { loraTargets, type LoraTargets } from './lora-targets.ts'
export * from './perturbations/index.ts'
export {
  autoencoderKL, autoencoderTiny, clipTextModel, clipTextModelWithProjection, clipVisionModelWithProjection,
  type ConfiguredModel, controlNet, type ModelEntry, unet2DCondition,
} from './registry/index.ts'
export * from './textual-inversion/index.ts'
export * from './tokenizers/index.ts'
export * from './unet/index.ts'
