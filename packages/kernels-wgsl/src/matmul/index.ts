export { matmul } from './matmul.ts'
export { type MatmulAttrs, productOf } from './product.ts'
