export {
  cleanSample,
  flowPredictionField,
  impliedNoise,
  predictedNoise,
  predictionField,
  sharesOf,
  thresholdFields,
  type StepHooks,
  type ThresholdConfig,
} from './prediction.ts'
export { clipFields, clipTo, type ClipConfig } from './clip.ts'
export { convertPrediction, type Conversion } from './convert.ts'
export { dynamicThreshold } from './threshold.ts'
export type { ModelPrediction, PredictionType } from '../schedule/index.ts'
