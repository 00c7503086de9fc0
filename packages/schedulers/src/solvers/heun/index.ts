export { heun, type HeunConfig } from './heun.ts'
