export { pictureOrder } from './picture-order.ts'
export { picturesAt, type SquarePictures } from './squares.ts'
