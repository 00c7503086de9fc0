export { forwardContraction, inputGradContraction } from './contraction.ts'
export { conv2d, conv2dInputGrad, conv2dWeightGrad } from './conv2d.ts'
export {
  type Conv2dAttrs, type Conv2dGradAttrs, type Direction, dtypeOf, forwardGeometry, type Geometry, inputGradGeometry, weightGradGeometry,
} from './geometry.ts'
