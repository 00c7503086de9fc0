export { saSolver, type SaSolverConfig } from './sa-solver.ts'
