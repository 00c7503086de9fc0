import type { Op, RefTensor } from '../op.ts'
import { computableFloat, element, input, refZeros, sameDType } from '../shape.ts'
import { checkStatistics } from './norm-grad.ts'
import { normKernel } from './norm-kernel.ts'
import { geometry, type NormAttrs, parametersOf } from './rows.ts'

/**
 * `norm` where the statistics are known: `y = (x − mean) · rstd · weight + bias`, or SiLU of that.
 * Inputs: x `[N, C, …]`, weight and bias `[C]` as `affine` says, mean and rstd `[N, groups]`. Output: y like x. It has no gradient
 * of its own.
 * @throws {ShapeError} if the statistics do not fit x @throws {DTypeError} unless all else is f32 or all f16
 */
export const normApply: Op<NormAttrs> = {
  name: 'normApply',
  infer(inputs, attrs) {
    const x = input('normApply', inputs, 0)
    const dtype = computableFloat('normApply', x)
    const after = 1 + parametersOf(attrs)
    sameDType('normApply', inputs.slice(0, after))
    checkStatistics('normApply', x, x, [input('normApply', inputs, after), input('normApply', inputs, after + 1)], attrs)
    return [{ shape: x.shape, dtype }]
  },
  kernels: (problem, target) => [normKernel('normApply', problem, target)],
  reference(inputs, attrs) {
    const after = 1 + parametersOf(attrs)
    const [x, mean, rstd] = [inputs[0], ...inputs.slice(after)] as [RefTensor, RefTensor, RefTensor]
    const [weight, bias] = inputs.slice(1, after)
    const { groups, channels, inner } = geometry('normApply', x, attrs)
    const y = refZeros(x.shape, x.dtype)
    x.data.forEach((v, i) => {
      const plane = Math.floor(i / inner)
      const [row, c] = [Math.floor(plane / channels), plane % (groups * channels)]
      const h = (v - element(mean.data, row)) * element(rstd.data, row) * (weight ? element(weight.data, c) : 1) + (bias ? element(bias.data, c) : 0)
      y.data[i] = attrs.activation ? h / (1 + Math.exp(-h)) : h
    })
    return [y]
  },
}
