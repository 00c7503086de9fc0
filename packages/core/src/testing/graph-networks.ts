import { checkpoint } from '../autograd/index.ts'
import {
  avgPool2d, concat, conv2d, embedding, groupNorm, layerNorm, linear, linearCombination, rmsNorm, scaledDotProductAttention, softmax, split,
  upsampleNearest2d, where,
} from '../functional/index.ts'
import type { Tensor } from '../graph/index.ts'
import { type GraphCase, graphCase } from './graph-case.ts'

const heads = (x: Tensor, count: number): Tensor => {
  const [b = 1, n = 1, width = 1] = x.shape
  return x.reshape([b, n, count, width / count]).permute([0, 2, 1, 3]) // b n (h d) -> b h n d
}
const joined = (x: Tensor): Tensor => {
  const [b = 1, h = 1, n = 1, d = 1] = x.shape
  return x.permute([0, 2, 1, 3]).reshape([b, n, h * d]) // b h n d -> b n (h d)
}

/** Parts of the networks that the packages build, small enough for float64. */
export const networks: readonly GraphCase[] = [
  graphCase('multilayer perceptron', { x: [5, 7], w1: [9, 7], b1: [9], w2: [3, 9], b2: [3] },
    ({ x, w1, b1, w2, b2 }) => linear(linear(x, w1, b1).tanh(), w2, b2).square().mean()),
  graphCase('residual block', { x: [2, 4, 5, 5], g: [4], h: [4], w: [4, 4, 3, 3], b: [4], temb: [2, 4] },
    ({ x, g, h, w, b, temb }) => conv2d(groupNorm(x, 2, { weight: g, bias: h }).silu(), w, { bias: b, padding: 1 })
      .add(temb.reshape([2, 4, 1, 1])).add(x).square().mean()),
  graphCase('attention block', { x: [2, 5, 8], g: [8], q: [8, 8], k: [8, 8], v: [8, 8], o: [8, 8], ob: [8] }, ({ x, g, q, k, v, o, ob }) => {
    const y = layerNorm(x, { weight: g })
    const out = scaledDotProductAttention(heads(linear(y, q), 2), heads(linear(y, k), 2), heads(linear(y, v), 2))
    return linear(joined(out), o, ob).add(x).square().mean()
  }),
  graphCase('cross-attention with a mask', { q: [1, 2, 4, 3], k: [1, 2, 6, 3], v: [1, 2, 6, 3], seen: [1, 1, 4, 6] }, ({ q, k, v, seen }) =>
    scaledDotProductAttention(q, k, v, { mask: where(seen.gt(-0.5), 0, -1e4) }).square().sum()),
  graphCase('attention over tokens, causal', { x: [2, 5, 4], context: [2, 3, 4], q: [6, 4], k: [6, 4], v: [6, 4] }, ({ x, context, q, k, v }) => {
    const [query, key, value] = [linear(x, q).reshape([2, 5, 2, 3]), linear(context, k).reshape([2, 3, 2, 3]), linear(context, v).reshape([2, 3, 2, 3])]
    return scaledDotProductAttention(query, key, value, { causal: true, layout: 'BNHD' }).square().sum()
  }),
  graphCase('attention by hand, causal', { q: [2, 5, 3], k: [2, 5, 3], v: [2, 5, 4], rows: { shape: [5], range: [0, 0.9] } }, ({ q, k, v, rows }) =>
    softmax(q.matmul(k, { transposeB: true }).mul(3 ** -0.5).add(rows.unsqueeze(-1).sub(rows).mul(2))).matmul(v).square().sum()),
  graphCase('GEGLU feed-forward', { x: [3, 4, 6], w: [16, 6], b: [16], o: [6, 8] }, ({ x, w, b, o }) => {
    const [value, gate] = split(linear(x, w, b), 2, -1) as [Tensor, Tensor]
    return linear(value.mul(gate.gelu()), o).add(x).square().mean()
  }),
  graphCase('RMS norm and SwiGLU', { x: [3, 4, 6], g: [6], w1: [10, 6], w2: [10, 6], o: [6, 10] }, ({ x, g, w1, w2, o }) => {
    const y = rmsNorm(x, { weight: g })
    return linear(linear(y, w1).silu().mul(linear(y, w2)), o).add(x).square().mean()
  }),
  graphCase('timestep and class embedding', { t: { shape: [4], range: [0, 50] }, labels: { shape: [4], below: 3 }, table: [3, 8], w1: [8, 8], b1: [8], w2: [8, 8] },
    ({ t, labels, table, w1, b1, w2 }) => {
      const f = linearCombination([[1, t.unsqueeze(-1)]]).mul(table.slice(0, 0, 1).slice(1, 0, 4).mul(0.1)) // phases [4, 4]
      const time = linear(concat([f.sin(), f.cos()], 1), w1, b1).silu()
      return linear(time.add(embedding(table, labels)), w2).square().mean()
    }),
  graphCase('upsampling beside a skip', { x: [2, 3, 3, 4], skip: [2, 2, 6, 8], w: [4, 5, 3, 3] }, ({ x, skip, w }) =>
    conv2d(concat([upsampleNearest2d(x), skip.relu()], 1), w, { padding: 1 }).silu().square().mean()),
  graphCase('strided convolution and pooling', { x: [2, 3, 9, 8], w: [4, 3, 3, 3], b: [4], v: [2, 4, 2, 2] }, ({ x, w, b, v }) =>
    avgPool2d(conv2d(conv2d(x, w, { bias: b, stride: 2, padding: [0, 0, 1, 1] }).silu(), v, { padding: [1, 0, 1, 0] }).slice(2, 0, 4).slice(3, 0, 2)).square().sum()),
  graphCase('grouped convolution', { x: [2, 6, 5, 4], w: [9, 2, 3, 2], d: [9, 1, 2, 2] }, ({ x, w, d }) =>
    conv2d(conv2d(x, w, { groups: 3, padding: [1, 1] }).quickGelu(), d, { groups: 9, stride: [2, 1] }).square().mean()),
  graphCase('low-rank adapter beside its layer', { x: [4, 6], w: [5, 6], a: [2, 6], b: [5, 2] }, ({ x, w, a, b }) =>
    linear(x, w).add(linear(linear(x, a), b).mul(0.7)).softplus().mean()),
  graphCase('tied weights', { x: [4, 6], w: [6, 6] }, ({ x, w }) =>
    linear(linear(linear(x, w).tanh(), w).tanh(), w.transpose()).add(w.sum({ axes: 0 })).square().mean()),
  graphCase('checkpointed blocks with tied and captured weights', { x: [4, 6], w: [6, 6], v: [6, 6] }, ({ x, w, v }) => {
    const scale = v.square().mean()
    const block = (h: Tensor): Tensor => linear(linear(h, w).silu(), v).mul(scale)
    return checkpoint(block, checkpoint(block, linear(x, w))).square().sum()
  }),
]
