export { captionsOf } from './captions.ts'
