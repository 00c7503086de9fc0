export { flowProcess, type FlowProcessOptions, type ForwardProcess } from './forward-process.ts'
export { type LossWeight, minSnr, sigmoidSnr } from './loss-weights.ts'
export { drawNoise, type DrawNoiseOptions } from './noise-draw.ts'
export {
  type NoiseDraw, noised, type NoiseLevels, predictedClean, type PredictedLevels, predictedNoise, targetOf,
} from './parametrisation.ts'
