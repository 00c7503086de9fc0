export { dpmSolverMultistep, type DpmConfig } from './dpm-solver-multistep.ts'
export type { DpmAlgorithm } from './update.ts'
