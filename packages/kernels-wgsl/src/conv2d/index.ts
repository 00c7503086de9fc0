export { conv2d, type Conv2dAttrs, type Conv2dGradAttrs, conv2dInputGrad, conv2dWeightGrad } from './conv2d.ts'
