export { adapted } from './adapted.ts'
export { encode, type PromptTokenizer, repeatRows } from './encode.ts'
