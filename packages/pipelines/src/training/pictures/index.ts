export { decodePicture, type Picture } from './decode-picture.ts'
export { fit, type FittedPicture } from './fit.ts'
export { type Size } from './resize.ts'
