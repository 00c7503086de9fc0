export { topK, type TopKAttrs } from './top-k.ts'
