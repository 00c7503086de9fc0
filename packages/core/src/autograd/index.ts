export { checkpoint, stopGradient } from './checkpoint.ts'
export { grad, gradients, valueAndGrad, vjp } from './gradients.ts'
