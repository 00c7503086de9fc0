export { winograd } from './winograd.ts'
