export { dpmSolverSinglestep, type DpmSinglestepConfig } from './dpm-solver-singlestep.ts'
export type { SinglestepAlgorithm } from './update.ts'
