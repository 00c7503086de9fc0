export { matmul, type MatmulAttrs } from './matmul.ts'
