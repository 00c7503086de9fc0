export { flowMatchHeun, type FlowMatchHeunConfig } from './flow-match-heun.ts'
