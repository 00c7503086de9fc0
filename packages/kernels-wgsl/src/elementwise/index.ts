export { cast, type CastAttrs } from './cast.ts'
export { type Arg, type Fused, fusedEpilogue, fusedKernel, type Step } from './fused.ts'
export { makeApplyOp } from './maths.ts'
export { broadcastView } from './pointwise.ts'
export {
  abs, add, cos, div, elementwise, eq, erf, erfc, exp, floor, ge, gelu, gt, le, log, lt, maximum, minimum, mul, neg, pow, quickGelu,
  relu, rsqrt, sigmoid, sign, silu, sin, softplus, sqrt, square, sub, tanh, where,
} from './table.ts'
