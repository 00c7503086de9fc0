export {
  encodePictures, type EncodePicturesOptions, type LatentPictures, scalingFactor,
} from './latent-pictures.ts'
export { type TextToImageModels, trainTextToImage, type TrainTextToImageOptions } from './train-text-to-image.ts'
