import { ShapeError, UnsupportedError } from '../errors.ts'
import { f32Bits, type Op, type Problem, type Ref, type Spec } from '../op.ts'
import { at, computableFloat, input, refZeros, sameDType, sameShape, shapeText } from '../shape.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
import { normInputGrad, normWeightGrad } from './norm-grad.ts'
import { packedNorm } from './packed-norm.ts'
import { activate, activationKey, geometry, type NormAttrs, rowWalk } from './rows.ts'

/**
 * Group, layer and RMS normalisation: `y = (x − mean) · rstd · weight + bias` with `rstd = 1 / √(variance + eps)`, or SiLU of that.
 * Statistics run over the channels of a group and all inner axes, with the population variance; with `rms` the mean
 * counts as 0, so that `rstd = 1 / √(mean(x²) + eps)`. Layer norm over the last axis is `x [rows, D]` in one group.
 *
 * Inputs: x `[N, C, …]`, then weight `[C]` and bias `[C]` as `affine` says. Outputs: y like x, and mean and rstd
 * `[N, groups]` in f32, which the gradients need and through which none flows. With an activation what it is applied to is never
 * stored: gradients compute it again from x.
 *
 * Statistics are exact for a large offset: means are updated by differences (Welford), and y subtracts a nearby value
 * before the rest of the mean. Group norm: Wu & He, https://arxiv.org/abs/1803.08494; layer norm: Ba et al.,
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
    const parameters = attrs.affine === 'both' ? 2 : attrs.affine === 'weight' ? 1 : 0
    if (inputs.length !== 1 + parameters) {
      throw new ShapeError(`norm: expected ${1 + parameters} inputs with affine '${attrs.affine}', got ${inputs.length}`)
    }
    for (const s of inputs.slice(1)) {
      if (!sameShape(s.shape, [x.shape[1] ?? 0])) {
        throw new ShapeError(`norm: expected weight and bias [${x.shape[1]}] for input ${shapeText(x.shape)}, got ${shapeText(s.shape)}`)
      }
    }
    const statistics: Spec = { shape: [batch, groups], dtype: 'f32' }
    return [{ shape: x.shape, dtype }, statistics, statistics]
  },
  kernels(problem: Problem<NormAttrs>, target) {
    const { attrs, epilogue } = problem
    const x = input('norm', problem.inputs, 0)
    const g = geometry('norm', x, attrs)
    const { rms, affine } = attrs
    const weighted = affine !== 'none'
    // An epilogue that reads tensors would be compiled four times in a vector kernel, at some 40 ms a buffer access.
    const walk = rowWalk(g, weighted, !epilogue?.extras, target)
    const outType = epilogue?.dtype ?? x.dtype
    const vector = (width: 1 | 4, type: string): string => (width === 4 ? `vec4<${type}>` : type)
    const weight = walk.weightWidth === 4 ? 'Vec' : 'Acc'
    const stored = walk.width === 4
      ? `vec4<Out>(vec4f(epilogue(v.x, 4u * u), epilogue(v.y, 4u * u + 1u), epilogue(v.z, 4u * u + 2u), epilogue(v.w, 4u * u + 3u)))`
      : 'Out(epilogue(v, u))'
    const head = !weighted ? '' : `let scale = ${weight}(weight[channel]); ${affine === 'both' ? `let offset = ${weight}(bias[channel]);` : ''}`
    const body = `let v = activate((Vec(x[u]) - shift - rest) * r${weighted ? ' * scale' : ''}${affine === 'both' ? ' + offset' : ''}); out[u] = ${stored};`
    return [assemble({
      label: `norm/${x.dtype}/${rms ? 'rms' : 'centred'}/${affine}/${walk.key}${activationKey(attrs)}`,
      dtype: x.dtype,
      subgroups: walk.lanes.subgroups,
      params: { ...walk.params, 'count: f32': f32Bits(g.channels * g.inner), 'eps: f32': f32Bits(attrs.eps) },
      storage: [
        bind(0, 'x', vector(walk.width, 'Scalar')),
        ...(weighted ? [bind(1, 'weight', vector(walk.weightWidth, 'Scalar'))] : []),
        ...(affine === 'both' ? [bind(2, 'bias', vector(walk.weightWidth, 'Scalar'))] : []),
        output(0, 'out', vector(walk.width, outType)), output(1, 'mean', 'f32'), output(2, 'rstd', 'f32'),
      ],
      body: /* wgsl */ `alias Out = ${outType};
${activate(attrs)}
${walk.wgsl}
    // statistics of each lane's own stream, then of all of them
    var m = Vec();
    var squares = Vec();
    var n = 0.0;
    for (var i = lane; i < units; i += lanes) {
      let v = Vec(x[base + i]);
      ${rms ? 'squares += v * v;' : 'n += 1.0; let d = v - m; m += d / n; squares += d * (v - m);'}
    }
    ${rms ? `
    let shift = 0.0;
    let rest = 0.0;` : `
    let shift = first(total(m) / ${walk.width}.0, lane);
    let rest = all_sum(n * total(m - shift), lane) / P.count;
    let apart = m - shift - rest;
    squares += n * apart * apart;`}
    let r = inverseSqrt(all_sum(total(squares), lane) / P.count + P.eps);
    if (lane == 0u && units > 0u) { mean[row] = shift + rest; rstd[row] = r; }${walk.each(head, body)}
  }
}
`,
      constants: { WG: walk.lanes.workgroup },
      workgroups: [walk.workgroups, 1, 1],
      epilogue,
    })]
  },
  packed: (problem, layout, target) => packedNorm(problem, layout, target),
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
    const [x, weight, bias] = inputs as readonly [Ref, Ref?, Ref?]
    const { batch, groups, channels, inner } = geometry('norm', x, attrs)
    const length = channels * inner
    const y = refZeros(x.shape, x.dtype)
    const mean = refZeros([batch, groups])
    const rstd = refZeros([batch, groups])
    for (let row = 0; row < batch * groups; row++) {
      const values = x.data.subarray(row * length, (row + 1) * length)
      const centre = attrs.rms ? 0 : values.reduce((s, v) => s + v, 0) / length
      const variance = values.reduce((s, v) => s + (v - centre) ** 2, 0) / length
      const r = 1 / Math.sqrt(variance + attrs.eps)
      mean.data[row] = centre
      rstd.data[row] = r
      values.forEach((v, i) => {
        const c = (row % groups) * channels + Math.floor(i / inner)
        const h = (v - centre) * r * (weight ? at(weight.data, c) : 1) + (bias ? at(bias.data, c) : 0)
        y.data[row * length + i] = attrs.activation ? h / (1 + Math.exp(-h)) : h
      })
    }
    return [y, mean, rstd]
  },
}
