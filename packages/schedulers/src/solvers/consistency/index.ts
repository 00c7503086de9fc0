export { consistency, type ConsistencyConfig } from './consistency.ts'
