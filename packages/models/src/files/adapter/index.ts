export { loadAdapter, type LoadAdapterOptions } from './load-adapter.ts'
export { saveAdapter } from './save-adapter.ts'
