export { conv2d, type Conv2dGradAttrs, conv2dInputGrad, conv2dWeightGrad } from './conv2d.ts'
export type { Conv2dAttrs } from './geometry.ts'
