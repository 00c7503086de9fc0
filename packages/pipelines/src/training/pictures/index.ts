export { fit, type FittedPicture, type Size } from './fit.ts'
export { readPicture } from './read-picture.ts'
