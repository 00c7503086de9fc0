export { denoised, digitsModel, type DpoTask, dpoSizes, dpoTask } from './digits.ts'
export { schedulerSolvers, type SolverName, stepCount } from './solvers.ts'
export { unetEighthConfig, unetEighthGolden, unetEighthInputs, unetEighthModel, unetEighthPrediction } from './unet-eighth.ts'
