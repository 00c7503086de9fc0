export { euler, type EulerConfig } from './euler.ts'
