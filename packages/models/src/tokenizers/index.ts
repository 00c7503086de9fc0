export { CLIPTokenizer, type PaddedPrompt } from './clip-tokenizer.ts'
export type { CLIPTokenizerFiles } from './files.ts'
