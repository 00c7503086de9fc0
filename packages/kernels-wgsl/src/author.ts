// What an op is written with, for ops that stand outside this package: the contract, shapes, references, and how a kernel is put together.
export { at } from './at.ts'
export { stridedGroups } from './dispatch.ts'
export { type Attrs, type Binding, type ApplyOp, type Epilogue, f32Bits, isFloat, type Kernel, type Maths, type Op, type Pointwise, type Problem, type RefTensor, type Spec, type Target, type View, type Vjp } from './op.ts'
export { broadcastShapes, computableFloat, element, expectRank, input as inputSpec, normaliseAxis, refZeros, sameDType, shapeText, sizeOf, stridesOf } from './shape.ts'
export { assemble, input as bindInput, lanesFor, output as bindOutput, scratch as bindScratch, type Parts as KernelParts, type Storage } from './wgsl/index.ts'
