export { addTextualInversion, type TextEncoder } from './add.ts'
export { readTextualInversion, type ReadTextualInversionOptions, type TextualInversion } from './read.ts'
