export { IPAdapter, loadIPAdapter, type LoadIPAdapterOptions } from './ip-adapter.ts'
