import * as K from '@antipode/kernels-wgsl'
import { stopGradient } from '../autograd/index.ts'
import { logSigmoid, logSoftmax, logSumExp, maximum, minimum, pad, stack, topK, where } from '../functional/index.ts'
import { apply1, type Tensor } from '../graph/index.ts'
import { type GraphCase, graphCase } from './graph-case.ts'

const meanSquare = (a: Tensor, b: Tensor): Tensor => a.sub(b).square().mean({ axes: [1, 2] })

/** Losses and plumbing. */
export const losses: readonly GraphCase[] = [
  graphCase('softmax cross-entropy', { x: [5, 7], w: [7, 7], target: { shape: [5, 1], below: 7 } }, ({ x, w, target }) =>
    apply1(K.takeAlong, [logSoftmax(x.matmul(w)), target]).mean().neg()),
  graphCase('preference of one prediction over another', { win: [4, 2, 3], lose: [4, 2, 3], model: [4, 2, 3], base: [4, 2, 3] }, ({ win, lose, model, base }) =>
    logSigmoid(meanSquare(model, win).sub(meanSquare(base, win)).sub(meanSquare(model, lose).sub(meanSquare(base, lose))).mul(-5)).mean().neg()),
  graphCase('divergence of two distributions', { p: [3, 6], q: [3, 6] }, ({ p, q }) =>
    logSoftmax(p).exp().mul(logSoftmax(p).sub(q.sub(logSumExp(q)))).sum({ axes: -1 }).mean()),
  graphCase('selected and clamped parts', { x: [6, 5], y: [6, 5] }, ({ x, y }) =>
    where(x.gt(y), x.clamp(-0.5, 0.6).mul(y), maximum(y.abs(), 0.3).sqrt()).add(minimum(x, y.relu())).square().sum()),
  graphCase('gathered and scattered rows', { table: [7, 4], rows: { shape: [5], below: 7 }, w: [4, 4] }, ({ table, rows, w }) => {
    const picked = apply1(K.gather, [table, rows]).matmul(w)
    return apply1(K.scatterAdd, [picked, rows], { rows: 7 }).mul(table).square().sum()
  }),
  graphCase('the largest values only', { x: [4, 9], w: [9, 9] }, ({ x, w }) =>
    topK(x.matmul(w).tanh(), 3).values.square().mean().add(topK(x, 2, { largest: false }).values.sum())),
  graphCase('means of means and extremes', { x: [3, 4, 5, 6] }, ({ x }) =>
    x.mean({ axes: 3 }).square().mean({ axes: [0, 2] }).add(x.max({ axes: [1, 3] }).mean()).add(x.min({ axes: 0 }).square().sum()).mean()),
  graphCase('a stopped branch that cancels out', { x: [4, 5], w: [5, 5] }, ({ x, w }) => {
    const y = x.matmul(w).mul(3)
    const top = stopGradient(y.max({ axes: -1, keepDims: true }))
    return y.sub(top).exp().sum({ axes: -1, keepDims: true }).log().add(top).square().mean()
  }),
  graphCase('views of views', { x: [2, 3, 4, 5], y: [4, 6] }, ({ x, y }) => {
    const a = x.permute([2, 0, 3, 1]).slice(2, 1, 4).reshape([4, 6, 3]) // [4, 2, 3, 3] -> [4, 6, 3]
    const b = pad(y.unsqueeze(-1).expand([4, 6, 3]), 1, 1, 2).slice(1, 2, 8)
    return stack([a.mul(b), b.permute([0, 1, 2]).exp()], 1).transpose(0, 3).square().mean({ axes: [1, 2] }).sum()
  }),
  graphCase('powers, quotients and roots', { a: { shape: [3, 4], range: [0.5, 2] }, b: { shape: [4], range: [0.5, 2] }, c: [3, 1] }, ({ a, b, c }) =>
    a.pow(b).div(b.add(c.square())).add(c.pow(3)).mul(a.rsqrt().add(b.log())).sum()),
]
