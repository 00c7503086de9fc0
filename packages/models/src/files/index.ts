export { loadAdapter, saveAdapter } from './save-adapter.ts'
export { type FileDType, type FileMetadata, loadModel, type LoadModelOptions, saveModel, type SaveOptions } from './save-model.ts'
