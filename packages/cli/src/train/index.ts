export { type BaseCard, runTrainBase, type TrainBaseOptions } from './base.ts'
export { digitsDenoiser, labelsOf, nullClass, pixelLimit, schedule, scheduleConfig, solver, unconditional } from './task.ts'
