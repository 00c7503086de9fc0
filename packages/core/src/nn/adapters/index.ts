export { Adaptable } from './adaptable.ts'
export { AdaptableLayer } from './adaptable-layer.ts'
export {
  type AdapterAlpha, adapterAlphas, adapterDeltas, adapterParameters, addAdapter, checkAdapter, mergedState,
  removeAdapter, setAdapter, type Shaped,
} from './adapters.ts'
export { FullDelta, fullDelta } from './full-delta.ts'
export { lora, type LoraOptions, LowRank } from './low-rank.ts'
export type { AdapterMaker, DeltaKind, WeightDelta, Weighted, WeightProduct } from './weight-delta.ts'
