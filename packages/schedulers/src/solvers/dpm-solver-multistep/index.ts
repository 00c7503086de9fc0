export { dpmSolverMultistep, type DpmConfig } from './dpm-solver-multistep.ts'
