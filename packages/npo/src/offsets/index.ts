export { offsets, type OffsetWeights } from './adapters.ts'
export { cosine, dot, merge, norm, offsetOf, randomOffset, scaled, type Weights } from './weights.ts'
