export { edmEuler, type EdmEulerConfig } from './edm-euler.ts'
export { edmFields, edmSpace, type EdmConfig } from './edm-space.ts'
