export { loadAdapter, type LoadAdapterOptions, saveAdapter } from './adapter/index.ts'
export { type FileDType, type FileMetadata, type SaveOptions } from './entries.ts'
export { loadModel, type LoadModelOptions, saveModel } from './save-model.ts'
