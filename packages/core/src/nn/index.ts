export {
  Adaptable, AdaptableLayer, type AdapterAlpha, adapterAlphas, adapterDeltas, type AdapterMaker, adapterParameters, addAdapter,
  checkAdapter, type DeltaKind, FullDelta, fullDelta, lora, type LoraOptions, LowRank, mergedState, removeAdapter,
  setAdapter, type Shaped, type WeightDelta, type Weighted, type WeightProduct,
} from './adapters/index.ts'
export { type AttentionCall, type AttentionSizes, MultiHeadAttention } from './attention.ts'
export { Conv2d, type Conv2dGeometry } from './conv2d.ts'
export { Embedding } from './embedding.ts'
export {
  affine, type Initialiser, parameterRanges, type ParameterTypes, placeholders, randomParameters, type RandomParametersOptions,
} from './initialiser.ts'
export type { Affine, Layer, LinearLayer } from './layer.ts'
export { Linear } from './linear.ts'
export { linears } from './linears.ts'
export { mapModules } from './map-modules.ts'
export { adapterNames, type AdapterWeight, type AdapterWeights, Module } from './module.ts'
export { GroupNorm, LayerNorm, type NormEps, RMSNorm } from './norms.ts'
export {
  type Checkpoint, checkFit, readAll, type StateFile, type StateInfo, stateOf, type StateSource, type Wanted,
} from './state/index.ts'
