export { asNumbers } from './as-numbers.ts'
export { arange, constant, type CreateOptions, full, ones, rand, randn, type RandomOptions, tensor, tensorFromBytes, zeros } from './create.ts'
export { identityOf, isPlain, primitiveText } from './exact.ts'
export type { Elements, MemoryReport } from './backend.ts'
export { type Leak, leaks } from './leaks.ts'
export { nextOrder, rememberedStructures, type SharedSpec, sharedSpec, signatureOfTrace, type TraceRef } from './node.ts'
export { checkNumber } from './numbers.ts'
export { Recent } from './recent.ts'
export { scope } from './scope.ts'
export { share } from './share.ts'
export { Storage } from './storage.ts'
export {
  apply, apply1, applyTrace, binary, lifted, type Node, type NonFiniteOptions, type Operand, type ReduceOptions, scalar, Tensor, type Backend, type Trace,
  type TracedNode,
} from './tensor.ts'
