export { matmul } from './matmul.ts'
export { type MatmulAttrs, matmulContraction } from './product.ts'
