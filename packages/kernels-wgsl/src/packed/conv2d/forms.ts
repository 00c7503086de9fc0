import {
  type Conv2dAttrs, type Conv2dGradAttrs, type Direction, dtypeOf, forwardContraction, forwardGeometry, inputGradContraction, inputGradGeometry, weightGradGeometry,
} from '../../conv2d/index.ts'
import type { Contraction } from '../../gemm/index.ts'
import type { Problem, Target } from '../../op.ts'
import type { PackedKernel } from '../contract.ts'
import { pixelwise } from './pixels.ts'
import { weightGradProduct } from './weight-grad.ts'
import { windowProducts } from './window-product.ts'
import { winograd } from './winograd/index.ts'

/** A convolution by tiles, as a product of packed operands, or by fours of pixels; undefined where none pays. */
export function packedConv2d(problem: Problem<Conv2dAttrs>, target: Target): readonly PackedKernel[] | undefined {
  const g = forwardGeometry(problem)
  return winograd('conv2d', problem, g, target) ?? windows('conv2d', problem, forwardContraction(g), target) ?? pixelwise('conv2d', problem, g, target)
}

/** The gradient of a convolution's input, in the same ways. */
export function packedConv2dInputGrad(problem: Problem<Conv2dGradAttrs>, target: Target): readonly PackedKernel[] | undefined {
  const g = inputGradGeometry(problem)
  return winograd('conv2dInputGrad', problem, g, target) ?? windows('conv2dInputGrad', problem, inputGradContraction(g), target) ?? pixelwise('conv2dInputGrad', problem, g, target)
}

/** The gradient of a convolution's weight as a product of packed operands; undefined where that does not pay. */
export function packedConv2dWeightGrad(problem: Problem<Conv2dGradAttrs>, target: Target): readonly PackedKernel[] | undefined {
  return weightGradProduct(problem, weightGradGeometry(problem), target)
}

function windows(label: Direction, problem: Problem, c: Contraction, target: Target): PackedKernel[] | undefined {
  return c.b.window && windowProducts(label, problem, dtypeOf(problem), c, c.b.window, target)
}
