export { type BaseCard, runTrainBase, type TrainBaseOptions } from './base.ts'
export { CurveFile } from './curve.ts'
