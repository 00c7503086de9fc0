import { after, inBlocks, type Op, stopGradient as stop } from '@antipode/kernels-wgsl'
import { apply1, nextOrder, type Node, type Tensor } from '../graph/index.ts'
import { callable, checkArgument } from '../options/index.ts'
import { pullBack } from './gradients.ts'

/** The same values, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return apply1(stop, [x])
}

/** What a checkpoint's result is to be computed by again. */
interface Rebuild {
  readonly fn: (...inputs: readonly Tensor[]) => Tensor
  readonly inputs: readonly Tensor[]
  readonly captured: readonly Tensor[]
}

/** By the result of each. The op is one for all of them, since graphs with equal checkpoints are to share a plan. */
const rebuilds = /* @__PURE__ */ new WeakMap<Tensor, Rebuild>()

/** The first of its inputs; the others are what that was made from. */
const checkpointed: Op = {
  name: 'checkpoint',
  infer: ([out]) => (out ? [{ shape: out.shape, dtype: out.dtype }] : []),
  view: (v) => v,
  keepsOrder: true,
  reference: ([out]) => (out ? [out] : []),
  vjp: (_call, { grads, outputs }) => {
    // T is Tensor here: this op exists only in graphs of tensors.
    const [g, out] = [grads[0], outputs[0]] as (Tensor | undefined)[]
    const rebuild = out && rebuilds.get(out)
    if (!g || !rebuild) return []
    const { fn, inputs, captured } = rebuild
    const fresh = inputs.map((x) => apply1(after, [x, g]))
    const again = fn(...fresh)
    // What lies behind the inputs is the outer pass's part: it would be counted twice if this one went on into it.
    const pulled = pullBack([again], [...fresh, ...captured], [g], new Set([...fresh, ...captured]))
    return [undefined, ...pulled] as never
  },
}

/**
 * Computes `fn(...inputs)` without keeping what it computes in between: the backward pass builds those nodes again, after
 * the gradient that needs them has arrived (Chen et al. 2016, "Training deep nets with sublinear memory cost").
 * Tensors that `fn` captures, such as weights, get their gradients too. @throws {ConfigError} if `fn` is no function
 */
export function checkpoint(fn: (...inputs: readonly Tensor[]) => Tensor, ...inputs: readonly Tensor[]): Tensor {
  checkArgument('checkpoint', 'fn', fn, callable)
  const start = nextOrder()
  const result = fn(...inputs)
  const captured = capturedBy(result, start, new Set(inputs))
  const out = apply1(checkpointed, [result, ...inputs, ...captured])
  rebuilds.set(out, { fn, inputs, captured })
  return out
}

/** What a function made its result from beside its arguments: tensors that were there before it began. */
function capturedBy(result: Tensor, start: number, args: ReadonlySet<Tensor>): Tensor[] {
  const found = new Set<Tensor>()
  const visited = new Set<Node>()
  const stack = [result]
  for (let t = stack.pop(); t; t = stack.pop()) {
    // Weights in blocks have no gradient, and no op but those that multiply them out takes them.
    if (args.has(t) || inBlocks(t.dtype)) continue
    const { source } = t
    const inside = source.kind === 'node' && source.node.order > start
    if (!inside && (source.kind === 'storage' || source.kind === 'argument' || source.kind === 'node')) found.add(t)
    if (!inside || visited.has(source.node)) continue
    visited.add(source.node)
    stack.push(...source.node.inputs)
  }
  return [...found]
}
