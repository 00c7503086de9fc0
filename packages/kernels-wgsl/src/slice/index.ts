export { flatConcat, flatOffsets } from './flat-concat.ts'
export { concat, type ConcatAttrs, pad, type PadAttrs, slice, type SliceAttrs } from './slice.ts'
