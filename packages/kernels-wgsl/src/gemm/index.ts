export { gemm } from './gemm.ts'
export type { Gemm, Layout } from './problem.ts'
