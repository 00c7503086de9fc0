export { dpmSolverMultistepInverse, type DpmInverseConfig } from './dpm-solver-multistep-inverse.ts'
