export { type BaseCard, runTrainBase, type TrainBaseOptions } from './base.ts'
export { CurveFile } from './curve.ts'
export { digitsDenoiser, labelsOf, pixelLimit, schedule, solver, unconditional } from './task.ts'
