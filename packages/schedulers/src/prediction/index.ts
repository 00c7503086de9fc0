export {
  cleanSample,
  clipFields,
  flowPredictionField,
  impliedNoise,
  predictedClean,
  predictedNoise,
  predictionField,
  thresholdFields,
  type ClipConfig,
  type ModelPrediction,
  type PredictionType,
  type StepHooks,
  type ThresholdConfig,
} from './prediction.ts'
export { dynamicThreshold } from './threshold.ts'
