export { DTypeError, ShapeError, UnsupportedError } from '../errors.ts'
export { customOp } from './custom-op.ts'
export {
  assemble, at, type Attrs, type Binding, bindInput, bindOutput, bindScratch, broadcastShapes, type ApplyOp, computableFloat, element, type Epilogue, expectRank, f32Bits,
  inputSpec, isFloat, type Kernel, type KernelParts, lanesFor, type Maths, normaliseAxis, type Op, type Pointwise, type Problem, type RefTensor, refZeros, sameDType,
  shapeText, sizeOf, type Spec, type Storage, stridedGroups, stridesOf, type Target, type View, type Vjp,
} from '@antipode/kernels-wgsl/op'
