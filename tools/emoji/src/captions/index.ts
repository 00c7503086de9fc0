export { captionsOf, mostWords } from './captions.ts'
