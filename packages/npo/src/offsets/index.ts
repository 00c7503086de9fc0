export { adapterOffset, addRandomAdapter, measureOffsets, type OffsetGeometry, type RandomAdapterOptions } from './adapter-offsets.ts'
export { offsets, type OffsetWeights } from './adapters.ts'
export { cosine, dot, merge, norm, offsetOf, randomOffset, scaled, type Weights } from './weights.ts'
