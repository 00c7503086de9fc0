export { type Converted, convertCheckpoint, type ConvertOptions, type ConvertProgress } from './convert-checkpoint.ts'
export {
  type AdapterComponent, type AdapterFormat, type AdapterTargets, convertAdapter,
  type ConvertAdapterOptions, loadAdapter, type LoadAdapterOptions, loadOffset,
  type LoadOffsetOptions, saveAdapter, type SaveAdapterOptions,
} from './adapter/index.ts'
export { type FileDType, type FileMetadata, type SaveOptions } from './entries.ts'
export { loadAutoencoder, type LoadAutoencoderOptions } from './load-autoencoder.ts'
export { loadModel, type LoadModelOfOptions, type LoadModelOptions } from './load-model.ts'
export { type CheckpointParts, saveCheckpoint, type SaveCheckpointOptions } from './save-checkpoint.ts'
export { type ClipParts, saveClip } from './save-clip.ts'
export { saveModel } from './save-model.ts'
