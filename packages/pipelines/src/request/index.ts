export { generateRanges, type GenerateOptions, type Output, outputRange, type PreparedOptions, texts } from './options.ts'
export { type Limits, perPrompt, type Request, resolveRequest } from './request.ts'
