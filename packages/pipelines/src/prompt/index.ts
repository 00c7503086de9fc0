export { adapted } from './adapted.ts'
export { contextFrom, encode, firstChunks, repeatRows } from './encode.ts'
export { chunksFor, type PromptSyntax, type PromptTokenizer, type PromptTokens, tokensOf } from './tokens.ts'
export { LearnedWords, type PipelineTextualInversions, type TextTower } from './words.ts'
