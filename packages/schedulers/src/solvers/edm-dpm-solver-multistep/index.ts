export { edmDpmSolverMultistep, type EdmDpmConfig } from './edm-dpm-solver-multistep.ts'
