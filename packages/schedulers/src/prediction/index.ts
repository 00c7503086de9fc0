export {
  cleanSample,
  flowPredictionField,
  impliedNoise,
  predictedNoise,
  predictionField,
  thresholdFields,
  type ModelPrediction,
  type PredictionType,
  type StepHooks,
  type ThresholdConfig,
} from './prediction.ts'
export { clipFields, clipTo, type ClipConfig } from './clip.ts'
export { dynamicThreshold } from './threshold.ts'
