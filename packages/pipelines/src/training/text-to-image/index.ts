export {
  encodePictures, type EncodePicturesOptions, type LatentPictures, scalingFactor,
} from './latent-pictures.ts'
export { type TextToImageModels, textToImageParameters, trainTextToImage, type TrainTextToImageOptions } from './train-text-to-image.ts'
