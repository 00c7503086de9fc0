import { isFloat, stopGradient } from '@antipode/kernels-wgsl'
import { gradients } from '../autograd/index.ts'
import type { Tensor } from '../graph/index.ts'
import { interpret } from './interpret.ts'

/** Where a gradient and its central difference are furthest apart. */
export interface GradientGap {
  /** Largest difference at one leaf, relative to the leaf's largest gradient. */
  readonly relative: number
  readonly leaf: string
  readonly index: number
  readonly gradient: number
  readonly difference: number
  /** Elements compared. */
  readonly compared: number
}

/**
 * Compares the gradients of a scalar loss, interpreted in float64, with central differences of the interpreted loss at some
 * elements of each real leaf. What `stopGradient` gives stays as it is in them, as it does for gradients. The loss must be
 * uploaded to a FakeHost.
 *
 * @param options.each elements compared per leaf, evenly spread, 12 by default
 * @param options.step of the differences, 1e-5 by default: their error is then about 1e-10
 */
export function gradientGap(
  loss: Tensor,
  leaves: Readonly<Record<string, Tensor>>,
  { each = 12, step = 1e-5 }: { each?: number; step?: number } = {},
): GradientGap {
  const real = Object.entries(leaves).filter(([, t]) => isFloat(t.dtype))
  const tensors = real.map(([, t]) => t)
  const start = new Map(tensors.map((t, k) => [t, interpret(tensors)[k] as Float64Array]))
  const grads = interpret(gradients(loss, tensors))
  const stopped = stoppedBehind(loss)
  const fixed = new Map(interpret(stopped).map((values, k) => [stopped[k] as Tensor, values]))
  let worst: GradientGap = { relative: 0, leaf: '', index: 0, gradient: 0, difference: 0, compared: 0 }
  let compared = 0
  real.forEach(([leaf, t], k) => {
    const g = grads[k] as Float64Array
    const scale = g.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-6)
    const stride = Math.max(1, Math.floor(t.size / each))
    for (let index = 0; index < t.size; index += stride) {
      const lossAt = (delta: number): number => {
        const data = Float64Array.from(start.get(t) ?? [])
        data[index] = (data[index] ?? 0) + delta
        return interpret([loss], new Map([...start, ...fixed, [t, data]]))[0]?.[0] ?? Number.NaN
      }
      const difference = (lossAt(step) - lossAt(-step)) / (2 * step)
      const gradient = g[index] ?? Number.NaN
      const relative = Math.abs(gradient - difference) / scale
      compared++
      // A NaN must show.
      if (!(relative <= worst.relative)) worst = { relative, leaf, index, gradient, difference, compared: 0 }
    }
  })
  return { ...worst, compared }
}

/** What `stopGradient` gave behind a tensor. */
function stoppedBehind(loss: Tensor): Tensor[] {
  const seen = new Set<Tensor>()
  const stopped: Tensor[] = []
  const stack = [loss]
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (seen.has(t) || t.source.kind !== 'node') continue
    seen.add(t)
    if (t.source.node.op.name === stopGradient.name) stopped.push(t)
    stack.push(...t.source.node.inputs)
  }
  return stopped
}
