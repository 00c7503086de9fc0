import type { Tensor } from '../graph/index.ts'
import { callable, checkArgument } from '../options/index.ts'
import { flatten } from './tree.ts'
import { traced } from './trace.ts'

/** Structures of arguments that a compiled function remembers. */
const maxTraces = 64

/**
 * Runs `fn` once for each structure of arguments, and then repeats the graph it built: a call costs the host next to nothing,
 * however many operations it stands for. What it gives is lazy, as what `fn` gives, and the same plan computes it.
 *
 * Arguments and results are tensors, or arrays, maps and plain objects with tensors in them. Tensors may hold other values each
 * time; all else is told by its value (objects of classes and functions by being the same), and `fn` runs anew when
 * it, a shape or an element type changes. What `fn` reads beside its arguments is as it was when it ran: tensors are remembered
 * themselves, so later updates of parameters are seen, but numbers, seeds and which adapters are on are not asked for again. Pass
 * numbers that change as `scalar(device, value)`.
 *
 * Gradients are taken inside of `fn`, not through it, and updates in place are made outside.
 *
 * @throws {ConfigError} if `fn` is no function or gives a promise, or an argument holds a typed array @throws {UnsupportedError} if it updates tensors in place
 * @example
 * const step = compile((x: Tensor, target: Tensor) => {
 *   const loss = net.forward(x).sub(target).square().mean()
 *   return { loss, grads: gradients(loss, [...params.values()]) }
 * })
 * const { loss, grads } = step(x, target)
 * const updates = optimizer.update(params, grads)
 * await evaluate(loss, ...updates)
 */
export function compile<A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  checkArgument('compile', 'fn', fn, callable)
  const calls = new Map<string, (tensors: readonly Tensor[]) => R>()
  return (...args) => {
    const { tensors, key } = flatten(args)
    const call = calls.get(key) ?? traced(fn, args, tensors)
    // Set anew, so that the first is the one unused for longest.
    calls.delete(key)
    calls.set(key, call)
    if (calls.size > maxTraces) calls.delete(calls.keys().next().value as string)
    return call(tensors)
  }
}
