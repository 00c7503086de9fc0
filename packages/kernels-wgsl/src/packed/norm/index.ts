export { packedNormApply } from './apply.ts'
export { packedNorm } from './norm.ts'
