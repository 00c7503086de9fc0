export { AntipodeError, DTypeError, ShapeError, UnsupportedError } from './errors.ts'
export {
  type Attrs, type Binding, byteSize, type Call, type DType, type Epilogue, f32Bits, isFloat, type Kernel, type Maths, type Op,
  type Pointwise, type Problem, type Ref, type Spec, type Target, textureWidth, type View, type Vjp,
} from './op.ts'
export { broadcastShapes, normaliseAxis, sameShape, shapeText, sizeOf, stridesOf } from './shape.ts'
export * from './attention/index.ts'
export * from './conv2d/index.ts'
export * from './elementwise/index.ts'
export * from './gather/index.ts'
export * from './matmul/index.ts'
export * from './norm/index.ts'
export * from './optimizer/index.ts'
export * from './random/index.ts'
export * from './reduce/index.ts'
export * from './slice/index.ts'
export * from './softmax/index.ts'
export * from './top-k/index.ts'
export * from './view/index.ts'
