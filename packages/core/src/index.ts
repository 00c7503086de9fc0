export * from './errors.ts'
export { compile } from './compile/index.ts'
export { checkpoint, grad, gradients, stopGradient, valueAndGrad, vjp } from './autograd/index.ts'
export {
  type AdapterDescription, type CompileProgress, Device, type DeviceCounters, type DeviceOptions, type DispatchTime, evaluate, type HostSpan,
  type KernelTime, type Profile, saveTuning,
} from './device/index.ts'
export * from './functional/index.ts'
export {
  arange, common, constant, type CreateOptions, type Elements, full, type Leak, leaks, type MemoryReport, type NonFiniteOptions, ones, type Operand, rand, randn,
  type RandomOptions, type ReduceOptions, scalar, scope, Tensor, tensor, tensorFromBytes, type Backend, zeros,
} from './graph/index.ts'
export { type Plan, storedBytes } from './plan/index.ts'
export { type BlockType, type DType, type AdapterTuning, inBlocks, type MadeBlockType, madeBlockTypes, tuningTable } from '@antipode/kernels-wgsl'
export * as nn from './nn/index.ts'
export * as optim from './optim/index.ts'
