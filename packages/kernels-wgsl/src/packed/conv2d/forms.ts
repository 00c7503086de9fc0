import { type Conv2dAttrs, type Conv2dGradAttrs, forwardGeometry, inputGradGeometry, weightGradGeometry } from '../../conv2d/index.ts'
import type { Problem, Target } from '../../op.ts'
import type { PackedKernel } from '../contract.ts'
import { pixelwise } from './pixels.ts'
import { forwardProduct, inputGradProducts, weightGradProduct } from './products.ts'
import { winograd } from './winograd/index.ts'

/** A convolution by tiles, as a product of packed operands, or by fours of pixels; undefined where none pays. */
export function packedConv2d(problem: Problem<Conv2dAttrs>, target: Target): readonly PackedKernel[] | undefined {
  const g = forwardGeometry(problem)
  return winograd('conv2d', problem, g, target) ?? forwardProduct(problem, g, target) ?? pixelwise('conv2d', problem, g, target)
}

/** The gradient of a convolution's input, in the same ways. */
export function packedConv2dInputGrad(problem: Problem<Conv2dGradAttrs>, target: Target): readonly PackedKernel[] | undefined {
  const g = inputGradGeometry(problem)
  return winograd('conv2dInputGrad', problem, g, target) ?? inputGradProducts(problem, g, target) ?? pixelwise('conv2dInputGrad', problem, g, target)
}

/** The gradient of a convolution's weight as a product of packed operands; undefined where that does not pay. */
export function packedConv2dWeightGrad(problem: Problem<Conv2dGradAttrs>, target: Target): readonly PackedKernel[] | undefined {
  return weightGradProduct(problem, weightGradGeometry(problem), target)
}
