export { kdpm2, type Kdpm2Config } from './kdpm2.ts'
