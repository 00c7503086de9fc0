export { DIGIT_CLASSES, type ClassifierWeights, type DigitClassifier, digitClassifier } from './classifier.ts'
export {
  areaAverage, type AssetSource, degrade, type Degradation, degradedBatch, type DegradedBatch, type Digits, type DigitSize, type DigitSplit, type Generator, type LabelledImages,
  loadDigits, type LoadDigitsOptions, movingDigits, type MovingDigits, type PackedAsset, readPackedAsset, SMALL_SIDE, STORED_SIDE, WORST_DEGRADATION,
} from './data/index.ts'
export { type DigitsBase, digitsBase } from './digits-base.ts'
export { type DigitsConfig, digitsConfig, digitsLoraTargets, type DigitsModelName, digitsUNet, type DigitsUNetOptions, NO_DIGIT } from './digits-unet.ts'
export { loadDigitClassifier } from './load-classifier.ts'
export { digitsInTurn, sampleImages, type SampleImagesOptions } from './sample-images.ts'
export { digitJudge, type DigitScore, JUDGE_DEFINITION, LABELLER_DEFINITION, labellingReward } from './rewards.ts'
export { tensorLabellingReward } from './tensor-reward.ts'
export { digitsDenoiser, digitsScheduleConfig, labelsOf, pixelLimit, schedule, solver, unconditional } from './task.ts'
export { trainDigitClassifier, type TrainClassifierOptions } from './train-classifier.ts'
