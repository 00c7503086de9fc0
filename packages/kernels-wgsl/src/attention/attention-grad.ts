import type { Op, Problem, RefTensor, Spec } from '../op.ts'
import { element, refZeros } from '../shape.ts'
import { input as bind, output, type Storage } from '../wgsl/index.ts'
import { type Loop, passing } from './loop.ts'
import { loopKernels } from './loop-kernels.ts'
import { eachScore } from './reference.ts'
import { type AttentionAttrs, check, checkGradInputs, pairMacs, type Sizes } from './sizes.ts'
import { sourcesFor } from './sources.ts'

// Inputs of both gradients: q, k, v, dy, statistics, delta and the mask.
function checkAll(op: string, inputs: readonly Spec[], attrs: AttentionAttrs): ReturnType<typeof check> {
  checkGradInputs(op, inputs)
  return check(op, inputs, attrs, 6)
}

const buffers = ({ hasMask }: AttentionAttrs): Storage[] => [
  bind(0, 'q'), bind(1, 'k'), bind(2, 'v'), bind(3, 'dy'), bind(4, 'statistics', 'f32'), bind(5, 'delta', 'f32'),
  ...(hasMask ? [bind(6, 'mask')] : []),
]

/**
 * Gradient of `attention` with respect to q. Scores are computed again: with `p = exp(score − largest) / Σ`,
 * `dq_i = scale · Σ_j p_ij · (dy_i·v_j − delta_i) · k_j`.
 * Inputs: q, k, v, dy `[B,H,N,D]`, attention's statistics `[B,H,N,2]`, the largest score and 1/Σ, and delta `[B,H,N]`, both in f32,
 * or all in the layout `BNHD`, and with `hasMask` the mask; delta is `Σ_d dy · o`, less the gradient of lse if there is one.
 * Output: dq. It has no gradient of its own. Where a query sees no key 1/Σ is 0, and so are gradients.
 * Dao et al., https://arxiv.org/abs/2205.14135, algorithm 4.
 * @throws {ShapeError} @throws {DTypeError} @throws {UnsupportedError} as attention does
 */
export const attentionGradQ: Op<AttentionAttrs> = {
  name: 'attentionGradQ',
  infer(inputs, attrs) {
    const { dtype } = checkAll('attentionGradQ', inputs, attrs)
    return [{ shape: (inputs[0] as Spec).shape, dtype }]
  },
  // q·k, dy·v, and the sum of k
  flops: (inputs, _outputs, attrs) => 6 * pairMacs(inputs, attrs),
  kernels(problem, target) {
    const loop = gradQLoop(problem)
    return loopKernels(loop, sourcesFor(passing(loop), target), target)
  },
  reference(inputs, attrs) {
    const [q, k] = inputs as readonly [RefTensor, RefTensor]
    const dq = refZeros(q.shape, q.dtype)
    eachSlope('attentionGradQ', inputs, attrs, (row, key, _p, slope, { depth }) => {
      for (let d = 0; d < depth; d++) dq.data[row * depth + d] = element(dq.data, row * depth + d) + slope * element(k.data, key * depth + d)
    })
    return [dq]
  },
}

/**
 * Gradients of `attention` with respect to k and v, from the same inputs as {@link attentionGradQ}:
 * `dv_j = Σ_i p_ij · dy_i` and `dk_j = scale · Σ_i p_ij · (dy_i·v_j − delta_i) · q_i`. Outputs: dk, dv.
 * @throws {ShapeError} @throws {DTypeError} @throws {UnsupportedError} as attention does
 */
export const attentionGradKV: Op<AttentionAttrs> = {
  name: 'attentionGradKV',
  infer(inputs, attrs) {
    const { dtype } = checkAll('attentionGradKV', inputs, attrs)
    const { shape } = inputs[1] as Spec
    return [{ shape, dtype }, { shape, dtype }]
  },
  // q·k, dy·v, and the sums of q and dy
  flops: (inputs, _outputs, attrs) => 8 * pairMacs(inputs, attrs),
  kernels: (problem, target) => gradKVLoops(problem).flatMap((loop) => loopKernels(loop, sourcesFor(passing(loop), target), target)),
  reference(inputs, attrs) {
    const [q, k, v, dy] = inputs as readonly [RefTensor, RefTensor, RefTensor, RefTensor]
    const dk = refZeros(k.shape, k.dtype)
    const dv = refZeros(v.shape, v.dtype)
    eachSlope('attentionGradKV', inputs, attrs, (row, key, p, slope, { depth }) => {
      for (let d = 0; d < depth; d++) {
        dk.data[key * depth + d] = element(dk.data, key * depth + d) + slope * element(q.data, row * depth + d)
        dv.data[key * depth + d] = element(dv.data, key * depth + d) + p * element(dy.data, row * depth + d)
      }
    })
    return [dk, dv]
  },
}

/** Visits each pair of a query and a key, by the numbers of their vectors, with its weight p and `scale · p · (dy·v − delta)`. */
function eachSlope(
  op: string,
  inputs: readonly RefTensor[],
  attrs: AttentionAttrs,
  visit: (row: number, key: number, p: number, slope: number, sizes: Sizes) => void,
): void {
  const [q, k, v, dy, statistics, delta, mask] = inputs as readonly [RefTensor, RefTensor, RefTensor, RefTensor, RefTensor, RefTensor, RefTensor?]
  const { sizes } = checkAll(op, inputs, attrs)
  const { depth } = sizes
  eachScore(q, k, mask, attrs, sizes, (row, keyAt, scores) => {
    scores.forEach((t, j) => {
      const key = keyAt(j)
      const p = element(statistics.data, 2 * row + 1) * Math.exp(t - element(statistics.data, 2 * row))
      let dot = 0
      for (let d = 0; d < depth; d++) dot += element(dy.data, row * depth + d) * element(v.data, key * depth + d)
      visit(row, key, p, attrs.scale * p * (dot - element(delta.data, row)), sizes)
    })
  })
}

/** The gradient of q as a loop of queries over keys. */
export function gradQLoop({ inputs, attrs }: Problem<AttentionAttrs>): Loop {
  const { sizes, dtype } = checkAll('attentionGradQ', inputs, attrs)
  return {
    label: 'attentionGradQ',
    dtype, sizes, attrs,
    own: 'queries',
    resident: ['q', 'dy'],
    streamed: ['k', 'v'],
    sums: { sum: 'dq' },
    storage: [...buffers(attrs), output(0, 'dq')],
    before: (w) => `${w.read('top', 'statistics', [2, 0])}\n    ${w.read('norm', 'statistics', [2, 1])}\n    ${w.read('level', 'delta')}`,
    each: (w) => /* wgsl */ `
        ${w.rows((i) => `let p_${i} = norm * weight(score(${w.dot('q', 'k', i)}, plane, row, j + ${i}u) - top);
        let slope_${i} = P.scale * p_${i} * (${w.dot('dy', 'v', i)} - level);`)}
        ${w.add('sum', 'slope', 'k')}`,
  }
}

/** The gradients of k and v as loops of keys over queries: both in one, or in one each. */
export function gradKVLoops({ inputs, attrs }: Problem<AttentionAttrs>): Loop[] {
  const { sizes, dtype } = checkAll('attentionGradKV', inputs, attrs)
  // Both sums and a mask at once would take nine buffers, and WebGPU promises eight.
  const rounds: readonly (readonly string[])[] = attrs.hasMask ? [['dv'], ['dk']] : [['dk', 'dv']]
  return rounds.map((round): Loop => {
    const [dk, dv] = [round.includes('dk'), round.includes('dv')]
    // In two rounds the scores, which both need, count half in each: dv adds one product to them, dk two.
    return {
      label: `attentionGradKV/${round.join('+')}`,
      dtype, sizes, attrs,
      own: 'keys',
      resident: dk ? ['k', 'v'] : ['k'],
      streamed: ['q', 'dy'],
      sums: { ...(dk ? { sum_k: 'dk' } : {}), ...(dv ? { sum_v: 'dv' } : {}) },
      storage: [
        ...buffers(attrs).filter(({ name }) => dk || name !== 'v' && name !== 'delta'),
        ...(dk ? [output(0, 'dk')] : []), ...(dv ? [output(1, 'dv')] : []),
      ],
      each: (w) => /* wgsl */ `
        ${w.rows((i) => `let p_${i} = ${w.seen('statistics', i, [2, 1])} * weight(score(${w.dot('k', 'q', i)}, plane, row, j + ${i}u) - ${w.seen('statistics', i, [2, 0])});`)}
        ${dv ? w.add('sum_v', 'p', 'dy') : ''}
        ${dk ? w.rows((i) => `let slope_${i} = P.scale * p_${i} * (${w.dot('v', 'dy', i)} - ${w.seen('delta', i)});`) : ''}
        ${dk ? w.add('sum_k', 'slope', 'q') : ''}`,
      share: dk ? 5 : 3,
    }
  })
}
