import { at } from '../at.ts'
import { ShapeError, UnsupportedError } from '../errors.ts'
import type { Op, Spec } from '../op.ts'
import { computableFloat, input, refZeros, sameDType, sameShape, shapeText } from '../shape.ts'
import { normApply } from './norm-apply.ts'
import { normInputGrad, normWeightGrad } from './norm-grad.ts'
import { normKernel } from './norm-kernel.ts'
import { geometry, type NormAttrs, parametersOf } from './rows.ts'

/**
 * Group, layer and RMS normalisation: `y = (x − mean) · rstd · weight + bias` with `rstd = 1 / √(variance + eps)`, or SiLU of that.
 * Statistics run over the channels of a group and all inner axes, with the population variance; with `rms` the mean
 * counts as 0, so that `rstd = 1 / √(mean(x²) + eps)`. Layer norm over the last axis is `x [rows, D]` in one group.
 *
 * Inputs: x `[N, C, …]`, then weight `[C]` and bias `[C]` as `affine` says. Outputs: y like x, and mean and rstd
 * `[N, groups]` in f32, which the gradients need and through which none flows. With an activation what it is applied to is never
 * stored: gradients compute it again from x.
 *
 * Variances keep their digits under a large offset: means are updated by differences (Welford), and y subtracts a nearby value
 * before the rest of the mean. Where the mean is M deviations from zero, y is off by 2⁻²⁴·M at most, and by as much in gradients and
 * wherever it is computed again. NaN or ∞ makes its own row NaN and no other; of an RMS
 * norm ∞ makes the rest of its row 0. Squares overflow from 1e19 on: then rstd is 0, as in torch.
 *
 * Group norm: Wu & He, https://arxiv.org/abs/1803.08494; layer norm: Ba et al.,
 * https://arxiv.org/abs/1607.06450; RMS norm: Zhang & Sennrich, https://arxiv.org/abs/1910.07467.
 * @throws {ShapeError} if groups do not divide C, or weight or bias is not `[C]` @throws {DTypeError} unless all are f32 or all f16
 */
export const norm: Op<NormAttrs> = {
  name: 'norm',
  epilogue: true,
  infer(inputs, attrs) {
    const x = input('norm', inputs, 0)
    const dtype = computableFloat('norm', x)
    sameDType('norm', inputs)
    const { batch, groups } = geometry('norm', x, attrs)
    const parameters = parametersOf(attrs)
    if (inputs.length !== 1 + parameters) {
      throw new ShapeError(`norm: expected ${1 + parameters} inputs with affine '${attrs.affine}', got ${inputs.length}`)
    }
    for (const s of inputs.slice(1)) {
      if (!sameShape(s.shape, [at(x.shape, 1)])) {
        throw new ShapeError(`norm: expected weight and bias [${x.shape[1]}] for input ${shapeText(x.shape)}, got ${shapeText(s.shape)}`)
      }
    }
    const statistics: Spec = { shape: [batch, groups], dtype: 'f32' }
    return [{ shape: x.shape, dtype }, statistics, statistics]
  },
  kernels: (problem, target) => [normKernel('norm', problem, target)],
  vjp(call, { inputs, outputs, grads, attrs, needs }) {
    const [x, weight, bias] = inputs
    const [, mean, rstd] = outputs
    const g = grads[0]
    if (grads[1] !== undefined || grads[2] !== undefined) {
      throw new UnsupportedError('norm: expected a gradient of y only, got one of mean or rstd; compute these from x with reduce')
    }
    if (x === undefined || mean === undefined || rstd === undefined || g === undefined) return []
    if (weight === undefined || !(needs[1] || needs[2])) return [needs[0] ? call(normInputGrad, [g, ...inputs, mean, rstd], attrs)[0] : undefined]
    const { activation, ...plain } = attrs
    const [normed] = activation ? call(norm, inputs, plain) : []
    const slope = normed === undefined ? g : call.m.siluGrad(g, normed)
    const dx = needs[0] ? call(normInputGrad, [slope, ...inputs, mean, rstd], plain)[0] : undefined
    const [dweight, dbias] = call(normWeightGrad, [slope, x, mean, rstd], plain)
    return bias === undefined ? [dx, dweight] : [dx, dweight, dbias]
  },
  reference(inputs, attrs) {
    const x = input('norm', inputs, 0)
    const { batch, groups, channels, inner } = geometry('norm', x, attrs)
    const length = channels * inner
    const mean = refZeros([batch, groups])
    const rstd = refZeros([batch, groups])
    for (let row = 0; row < batch * groups; row++) {
      const values = x.data.subarray(row * length, (row + 1) * length)
      const centre = attrs.rms ? 0 : values.reduce((s, v) => s + v, 0) / length
      const variance = values.reduce((s, v) => s + (v - centre) ** 2, 0) / length
      mean.data[row] = Number.isNaN(variance) && !attrs.rms ? variance : centre
      rstd.data[row] = 1 / Math.sqrt(variance + attrs.eps)
    }
    return [...normApply.reference([...inputs, mean, rstd], attrs), mean, rstd]
  },
}
