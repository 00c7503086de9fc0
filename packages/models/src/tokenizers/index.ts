export { BertTokenizer } from './bert-tokenizer.ts'
export { CLIPTokenizer } from './clip-tokenizer.ts'
export type { PaddedPrompt } from './encoder.ts'
export type { BertTokenizerFiles, CLIPTokenizerFiles } from './files.ts'
export { readBertTokenizer, readClipTokenizer, readClipTokenizerFiles, type TokenizerPlace } from './read-tokenizer.ts'
export { tokenizerComponent } from './tokenizer-component.ts'
export {
  trainClipTokenizer, type TrainClipTokenizerOptions, type TrainedClipTokenizer,
} from './train-clip-tokenizer.ts'
