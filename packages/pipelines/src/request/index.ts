export {
  generateRanges,
  type GenerateOptions,
  type ImagePrompt,
  type Output,
  outputRange,
  type PerturbedBranch,
  type PreparedOptions,
  texts,
  tilingRange,
} from './options.ts'
export { type Limits, perPrompt, type Request, resolveRequest } from './request.ts'
