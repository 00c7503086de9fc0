import { at } from '../at.ts'
import { ShapeError } from '../errors.ts'
import { f32Bits, type Op, type Problem, type RefTensor, type Spec } from '../op.ts'
import { computableFloat, element, input, refZeros, sameDType, sameShape, shapeText } from '../shape.ts'
import { assemble, input as bind, mathHelpers, output } from '../wgsl/index.ts'
import { activationKey, geometry, type NormAttrs, parametersOf, rowWalk } from './rows.ts'
import { weightGradKernels } from './weight-grad.ts'

/** @throws {ShapeError} if dy or the statistics do not fit x */
export function checkStatistics(op: string, dy: Spec, x: Spec, statistics: readonly Spec[], attrs: NormAttrs): void {
  const { batch, groups } = geometry(op, x, attrs)
  if (!sameShape(dy.shape, x.shape)) {
    throw new ShapeError(`${op}: expected dy of x's shape ${shapeText(x.shape)}, got ${shapeText(dy.shape)}`)
  }
  for (const s of statistics) {
    if (!sameShape(s.shape, [batch, groups])) {
      throw new ShapeError(`${op}: expected mean and rstd [${batch},${groups}], got ${shapeText(s.shape)}`)
    }
  }
}

/** Splits the inputs `dy, x, weight?, bias?, mean, rstd`. */
function parts<T>(inputs: readonly T[], attrs: NormAttrs): { dy: T; x: T; weight: T | undefined; bias: T | undefined; mean: T; rstd: T } {
  const { affine } = attrs
  const after = 2 + parametersOf(attrs)
  const part = (k: number): T => input('normInputGrad', inputs, k)
  return {
    dy: part(0), x: part(1), weight: affine === 'none' ? undefined : part(2), bias: affine === 'both' ? part(3) : undefined,
    mean: part(after), rstd: part(after + 1),
  }
}

/**
 * Gradient of `norm` with respect to x. With `g = dy · weight` and `x̂ = (x − mean) · rstd`:
 * `dx = rstd · (g − avg(g) − x̂ · avg(g · x̂))`, averages over a row; with `rms` the term `avg(g)` is absent. With an activation dy
 * is first multiplied by its slope at `x̂ · weight + bias`.
 * Inputs: dy, x, weight and bias as `affine` says, mean, rstd. Output: dx like x. It has no gradient of its own.
 * @throws {ShapeError} if dy or the statistics do not fit x
 */
export const normInputGrad: Op<NormAttrs> = {
  name: 'normInputGrad',
  infer(inputs, attrs) {
    const { dy, x, mean, rstd } = parts(inputs, attrs)
    const dtype = computableFloat('normInputGrad', x)
    sameDType('normInputGrad', inputs.slice(0, 2 + parametersOf(attrs)))
    checkStatistics('normInputGrad', dy, x, [mean, rstd], attrs)
    return [{ shape: x.shape, dtype }]
  },
  kernels(problem: Problem<NormAttrs>, target) {
    const { attrs } = problem
    const { x } = parts(problem.inputs, attrs)
    const g = geometry('normInputGrad', x, attrs)
    const { rms, affine } = attrs
    const weighted = affine !== 'none'
    const active = attrs.activation === 'silu'
    const shifted = active && affine === 'both'
    const walk = rowWalk(g, weighted, true, target)
    const vector = (width: 1 | 4, type = 'Scalar'): string => (width === 4 ? `vec4<${type}>` : type)
    const read = (name: string): string => `${walk.weightWidth === 4 ? 'Vec' : 'Acc'}(${name}[channel])`
    const head = `${weighted ? `let scale = ${read('weight')};` : ''} ${shifted ? `let offset = ${read('bias')};` : ''}`
    const [scaled, moved] = [weighted ? ' * scale' : '', shifted ? ' + offset' : '']
    const load = `let h = (Vec(x[u]) - m) * r; let g = ${active ? `silu_grad(Vec(dy[u]), h${scaled}${moved})` : 'Vec(dy[u])'}${scaled};`
    const after = 2 + parametersOf(attrs)
    return [assemble({
      label: `normInputGrad/${x.dtype}/${rms ? 'rms' : 'centred'}/${walk.key}${activationKey(attrs)}`,
      dtype: x.dtype,
      subgroups: walk.lanes.subgroups,
      params: { ...walk.params, 'count: f32': f32Bits(g.channels * g.inner) },
      storage: [
        bind(0, 'dy', vector(walk.width)), bind(1, 'x', vector(walk.width)),
        ...(weighted ? [bind(2, 'weight', vector(walk.weightWidth))] : []), ...(shifted ? [bind(3, 'bias', vector(walk.weightWidth))] : []),
        bind(after, 'mean', 'f32'), bind(after + 1, 'rstd', 'f32'), output(0, 'out', vector(walk.width)),
      ],
      body: /* wgsl */ `${active ? `alias V = Vec;${mathHelpers['silu_grad']}` : ''}${walk.wgsl}
    let m = mean[row];
    let r = rstd[row];
    var s = Vec();
    var t = Vec();${walk.each(head, `${load} s += g; t += g * h;`)}
    let avg = ${rms ? '0.0' : 'all_sum(total(s), lane) / P.count'};
    let slope = all_sum(total(t), lane) / P.count;${walk.each(head, `${load} out[u] = ${vector(walk.width)}(r * (g - avg - h * slope));`)}
  }
}
`,
      constants: { WG: walk.lanes.workgroup },
      workgroups: [walk.workgroups, 1, 1],
      epilogue: null,
    })]
  },
  reference(inputs, attrs) {
    const { dy, x, weight, bias, mean, rstd } = parts<RefTensor>(inputs as readonly RefTensor[], attrs)
    const { batch, groups, channels, inner } = geometry('normInputGrad', x, attrs)
    const length = channels * inner
    const dx = refZeros(x.shape, x.dtype)
    for (let row = 0; row < batch * groups; row++) {
      const r = element(rstd.data, row)
      const h = Float64Array.from({ length }, (_, i) => (element(x.data, row * length + i) - element(mean.data, row)) * r)
      const g = h.map((v, i) => {
        const c = (row % groups) * channels + Math.floor(i / inner)
        const scale = weight ? element(weight.data, c) : 1
        return element(dy.data, row * length + i) * (attrs.activation ? siluSlope(v * scale + (bias ? element(bias.data, c) : 0)) : 1) * scale
      })
      const avg = attrs.rms ? 0 : g.reduce((s, v) => s + v, 0) / length
      const slope = g.reduce((s, v, i) => s + v * element(h, i), 0) / length
      for (let i = 0; i < length; i++) dx.data[row * length + i] = r * (element(g, i) - avg - element(h, i) * slope)
    }
    return [dx]
  },
}

function siluSlope(x: number): number {
  const s = 1 / (1 + Math.exp(-x))
  return s * (1 + x * (1 - s))
}

/**
 * Gradients of `norm` with respect to weight and bias: `dweight[c] = Σ dy · x̂` and `dbias[c] = Σ dy` over the batch and
 * the inner axes, always added in the same order. Inputs: dy, x, mean, rstd. Outputs: dweight `[C]`, dbias `[C]`.
 * @throws {ShapeError} if dy or the statistics do not fit x
 */
export const normWeightGrad: Op<NormAttrs> = {
  name: 'normWeightGrad',
  infer(inputs, attrs) {
    const [dy, x, mean, rstd] = [0, 1, 2, 3].map((k) => input('normWeightGrad', inputs, k)) as [Spec, Spec, Spec, Spec]
    const dtype = computableFloat('normWeightGrad', x)
    sameDType('normWeightGrad', [x, dy])
    checkStatistics('normWeightGrad', dy, x, [mean, rstd], attrs)
    const parameter: Spec = { shape: [at(x.shape, 1)], dtype }
    return [parameter, parameter]
  },
  kernels: (problem, target) => weightGradKernels(problem, target),
  reference(inputs, attrs) {
    const [dy, x, mean, rstd] = inputs as readonly [RefTensor, RefTensor, RefTensor, RefTensor]
    const { groups, channels, inner } = geometry('normWeightGrad', x, attrs)
    const c = groups * channels
    const dweight = refZeros([c], x.dtype)
    const dbias = refZeros([c], x.dtype)
    x.data.forEach((v, i) => {
      const plane = Math.floor(i / inner)
      const row = Math.floor(plane / channels)
      dweight.data[plane % c] = element(dweight.data, plane % c) + element(dy.data, i) * (v - element(mean.data, row)) * element(rstd.data, row)
      dbias.data[plane % c] = element(dbias.data, plane % c) + element(dy.data, i)
    })
    return [dweight, dbias]
  },
}
