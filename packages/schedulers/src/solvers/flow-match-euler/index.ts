export { flowMatchEuler, type FlowMatchEulerConfig } from './flow-match-euler.ts'
