export { hashOf } from './hash.ts'
