export {
  encodePairs, type EncodePairsOptions, EncodedPairs, type EncodingReport, type PairEncoder,
} from './encodings/index.ts'
export { pairEncoder } from './encoder.ts'
export {
  DatasetError, openPairs, type PairOfPictures, type PairRow, type PairRows, type PreferencePair,
} from './pairs/index.ts'
export { samplingParts, type SamplingParts } from './sampling-parts.ts'
export { attentionTargets, type PreferenceModels, type PreferenceOptions, trainPreference } from './train-preference.ts'
