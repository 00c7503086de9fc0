export { join, joinPlaces } from './join.ts'
export { concat, type ConcatAttrs, pad, type PadAttrs, slice, type SliceAttrs } from './slice.ts'
