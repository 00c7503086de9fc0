export { dequantise, type DequantiseAttrs } from './dequantise.ts'
export { quantise, type QuantisedMatrix } from './quantise.ts'
export { quantisedMatmul } from './quantised-matmul.ts'
