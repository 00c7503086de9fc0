export { lcm, type LcmConfig } from './lcm.ts'
