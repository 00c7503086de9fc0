export { decodeBlocks } from './decode.ts'
export { dequantise, type DequantiseAttrs } from './dequantise.ts'
export { encodeBlocks, largestInBlocks, type MadeBlockType, madeBlockTypes } from './encode.ts'
