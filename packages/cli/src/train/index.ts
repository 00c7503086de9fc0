export { type BaseCard, runTrainBase, type TrainBaseOptions } from './base.ts'
export { CurveFile } from './curve.ts'
export { runTrainOnline, type TrainOnlineOptions, type TrainOnlineResult } from './online/index.ts'
export { runTrainPreference, type TrainPreferenceOptions, type TrainPreferenceResult } from './preference/index.ts'
