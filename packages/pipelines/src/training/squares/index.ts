export { picturesAt, type SquarePictures } from './squares.ts'
