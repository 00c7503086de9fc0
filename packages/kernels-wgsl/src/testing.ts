export { adjointGap } from './testing/adjoint.ts'
export { type CaseInput, checkGradient, noise, type OpCase, type OpTest, refCall, testOp } from './testing/test-op.ts'
export { rounded, runKernels, type TestHost } from './testing/run-kernels.ts'
export { decode, encode } from './testing/elements.ts'
