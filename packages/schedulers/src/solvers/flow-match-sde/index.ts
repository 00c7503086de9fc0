export { flowMatchSde, type FlowMatchSdeConfig } from './flow-match-sde.ts'
