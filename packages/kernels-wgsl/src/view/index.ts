export { isContiguous, readView, reshapedView, viewOf } from './strided.ts'
export { after, permute, type PermuteAttrs, reshape, type ReshapeAttrs, stopGradient } from './view.ts'
