import { UnsupportedError } from '../errors.ts'
import type { ApplyOp, Op, Problem, RefTensor, Spec, Vjp } from '../op.ts'
import { cast } from '../elementwise/index.ts'
import { reduce } from '../reduce/index.ts'
import { element, refZeros } from '../shape.ts'
import { reshape } from '../view/index.ts'
import { input as bind, leastFinite, output } from '../wgsl/index.ts'
import { attentionGradKV, attentionGradQ } from './attention-grad.ts'
import { type Loop, passing } from './loop.ts'
import { loopKernels } from './loop-kernels.ts'
import { eachScore } from './reference.ts'
import { type AttentionAttrs, check, pairMacs } from './sizes.ts'
import { sourcesFor } from './sources.ts'
import { finished } from './split.ts'

/**
 * Scaled dot-product attention, streamed so that no score matrix is stored:
 * `o = softmax(scale · q kᵀ + mask) v` and `lse = log Σ exp(score)` for each query.
 *
 * Inputs: q `[B,H,N,D]`, k and v `[B,H,M,D]`, and with `hasMask` a mask `[1|B,1|H,N,M]` of their dtype that is added to
 * the scores and gets no gradient. Outputs: o `[B,H,N,D]`, lse `[B,H,N]` in f32, and for the gradients `[B,H,N,2]` in f32, the
 * largest score and `1 / Σ exp(score − largest)`: log-sum-exp has no digit of the sum left where scores are as low as masks make
 * them. In the layout `BNHD` q and o are `[B,N,H,D]`, k and v `[B,M,H,D]`, and what queries have is `[B,N,H,…]`; the mask stays.
 * With `causal` query i sees keys 0 to i. D is at most 256. Sums are in f32.
 *
 * A score of −∞ switches its key off; a query whose keys are all off gets o = 0, lse = 0 and gradients of 0 where torch gives NaN.
 * Any finite score is a number as others are: a query all of whose scores are a dtype's lowest gets the mean of v. A query with a
 * score of NaN or ∞ is NaN throughout, as in torch. A key that is off counts in the sum of v with weight 0, so that a value of
 * NaN or ∞ may make NaN of queries that do not see it, as in torch, unless they see none.
 *
 * Online softmax: Milakov & Gimelshein, https://arxiv.org/abs/1805.02867; as attention: Dao et al.,
 * https://arxiv.org/abs/2205.14135, algorithm 1.
 * @throws {ShapeError} if shapes do not fit @throws {DTypeError} unless all are f32 or all f16 @throws {UnsupportedError} if D exceeds 256
 */
export const attention: Op<AttentionAttrs> = {
  name: 'attention',
  infer(inputs, attrs) {
    const { dtype } = check('attention', inputs, attrs, 3)
    const { shape } = inputs[0] as Spec
    const rows = shape.slice(0, 3)
    return [{ shape, dtype }, { shape: rows, dtype: 'f32' }, { shape: [...rows, 2], dtype: 'f32' }]
  },
  // q·k, and the weighted sum of v
  flops: (inputs, _outputs, attrs) => 4 * pairMacs(inputs, attrs),
  kernels(problem, target) {
    const loop = attentionLoop(problem)
    return loopKernels(loop, sourcesFor(passing(loop), target), target)
  },
  // δ = Σ_d dy · o stands for the softmax's own correction; a gradient of lse enters with the opposite sign
  vjp<T>(call: ApplyOp<T>, { inputs, outputs, grads, attrs, needs }: Vjp<T, AttentionAttrs>) {
    const [q, k, v, ...mask] = inputs as readonly [T, T, T, ...T[]]
    const [o, lse, statistics] = outputs as readonly [T, T, T]
    if (grads[2] !== undefined) throw new UnsupportedError('attention: expected a gradient of o and lse only, got one of their statistics')
    if (grads[0] === undefined && grads[1] === undefined) return []
    const dy = grads[0] ?? call.m.mul(o, 0)
    const exact = (t: T): T => (call.spec(t).dtype === 'f32' ? t : call(cast, [t], { dtype: 'f32' })[0] as T)
    const rows = call(reduce, [call.m.mul(exact(dy), exact(o))], { kind: 'sum', start: 3, end: 4 })[0] as T
    const sums = call(reshape, [rows], { shape: call.spec(lse).shape })[0] as T
    const delta = grads[1] === undefined ? sums : call.m.sub(sums, grads[1])
    const given = [q, k, v, dy, statistics, delta, ...mask]
    const dq = needs[0] ? call(attentionGradQ, given, attrs)[0] : undefined
    const [dk, dv] = needs[1] || needs[2] ? call(attentionGradKV, given, attrs) : []
    return [dq, dk, dv]
  },
  reference(inputs, attrs) {
    const [q, k, v, mask] = inputs as readonly [RefTensor, RefTensor, RefTensor, RefTensor?]
    const { sizes } = check('attention', inputs, attrs, 3)
    const { depth } = sizes
    const o = refZeros(q.shape, q.dtype)
    const lse = refZeros(q.shape.slice(0, 3))
    const statistics = refZeros([...lse.shape, 2])
    eachScore(q, k, mask, attrs, sizes, (row, keyAt, scores) => {
      const top = scores.reduce((m, t) => Math.max(m, t), -Infinity)
      if (top === -Infinity) return
      const total = scores.reduce((s, t) => s + Math.exp(t - top), 0)
      lse.data[row] = top + Math.log(total)
      statistics.data.set([Number.isNaN(total) ? total : top, 1 / total], 2 * row)
      scores.forEach((t, j) => {
        for (let d = 0; d < depth; d++) {
          o.data[row * depth + d] = element(o.data, row * depth + d) + Math.exp(t - top) / total * element(v.data, keyAt(j) * depth + d)
        }
      })
    })
    return [o, lse, statistics]
  },
}

/** Attention as a loop of queries over keys. */
export function attentionLoop({ inputs, attrs }: Problem<AttentionAttrs>): Loop {
  const { sizes, dtype } = check('attention', inputs, attrs, 3)
  return {
    label: 'attention',
    dtype, sizes, attrs,
    own: 'queries',
    resident: ['q'],
    streamed: ['k', 'v'],
    sums: { sum: 'out' },
    means: { log: 'lse', statistics: 'statistics' },
    storage: [bind(0, 'q'), bind(1, 'k'), bind(2, 'v'), ...(attrs.hasMask ? [bind(3, 'mask')] : []), output(0, 'out'), output(1, 'lse', 'f32'), output(2, 'statistics', 'f32')],
    before: () => /* wgsl */ `
    var top = R(${leastFinite});
    var total = R();`,
    each: (w) => /* wgsl */ `
        ${w.rows((i) => `let t_${i} = score(${w.dot('q', 'k', i)}, plane, row, j + ${i}u);`)}
        let higher = max(top, ${w.rows((i) => `t_${i}`, 'max')});
        let keep = exp(top - higher);
        ${w.rows((i) => `let p_${i} = weight(t_${i} - higher);`)}
        top = higher;
        total = keep * total + ${w.rows((i) => `p_${i}`, '+')};
        ${w.add('sum', 'p', 'v', 'keep')}`,
    after: (w) => `${finished}
    ${w.scale('sum', 'norm', 'none')}
    ${w.finish}`,
  }
}
