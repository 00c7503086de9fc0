export { runTrainPreference, type TrainPreferenceOptions, type TrainPreferenceResult } from './train-preference.ts'
