export { autoencoderLoss, type AutoencoderWeights, trainAutoencoder, type TrainAutoencoderOptions } from './autoencoder/index.ts'
export {
  type CaptionedPicture, loadSquares, type LoadSquaresOptions, openCaptioned, type OpenCaptionedOptions,
} from './captioned/index.ts'
export * from './contrastive/index.ts'
export {
  encodePairs, type EncodePairsOptions, EncodedPairs, type EncodingReport, type PairEncoder,
} from './encodings/index.ts'
export { pairEncoder } from './encoder.ts'
export type { FullTrainingOptions } from './full/index.ts'
export {
  DatasetError, openPairs, type PairOfPictures, type PairRow, type PairRows, type PreferencePair,
} from './pairs/index.ts'
export { samplingParts, type SamplingParts } from './sampling-parts.ts'
export { type ClipConfigs, type PipelineConfigs, smallClip, smallStableDiffusion } from './small/index.ts'
export { picturesAt, type SquarePictures } from './squares/index.ts'
export {
  encodePictures, type EncodePicturesOptions, type LatentPictures, scalingFactor, type TextToImageModels,
  textToImageParameters, trainTextToImage, type TrainTextToImageOptions,
} from './text-to-image/index.ts'
export { attentionTargets, type PreferenceModels, type PreferenceOptions, trainPreference } from './train-preference.ts'
