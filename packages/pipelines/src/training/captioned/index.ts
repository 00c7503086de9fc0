export { type CaptionedPicture } from './captioned-picture.ts'
export { loadSquares, type LoadSquaresOptions } from './load-squares.ts'
export { openCaptioned, type OpenCaptionedOptions } from './open-captioned.ts'
