export { edmEuler, type EdmEulerConfig } from './edm-euler.ts'
