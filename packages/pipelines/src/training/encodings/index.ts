export { type Bucket, EncodedPairs, type LoadedPair } from './encoded-pairs.ts'
export { encodePairs, type EncodePairsOptions, type EncodingReport } from './encode-pairs.ts'
export { type PairEncoder } from './pair-encoder.ts'
export { type ShardTensor } from './shard.ts'
