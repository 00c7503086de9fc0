import { at, type ApplyOp, isFloat, makeApplyOp, sameShape, shapeText, sumTo } from '@antipode/kernels-wgsl'
import { ShapeError, UnsupportedError } from '../errors.ts'
import { type Cotangent, cut, sum } from './cotangent.ts'
import { apply, type Node, ones, scalar, type Tensor, zeros } from '../graph/index.ts'

/**
 * Adds to the graph the derivatives of `Σ cotangent · output` with respect to `inputs`: forward and backward are one
 * graph, planned and run together. Inputs that the outputs do not depend on get zeros.
 *
 * @param outputs f32 or f16 tensors @param cotangents one per output, of its shape and dtype
 * @throws {ShapeError} if a cotangent is not like its output @throws {UnsupportedError} if an output has been evaluated, or
 * the path leads through an op that has no gradient
 */
export function vjp(outputs: readonly Tensor[], inputs: readonly Tensor[], cotangents: readonly Tensor[]): Tensor[] {
  if (outputs.length === 0 || cotangents.length !== outputs.length) {
    throw new ShapeError(`vjp: expected one cotangent per output, got ${cotangents.length} for ${outputs.length}`)
  }
  outputs.forEach((o, k) => {
    const g = cotangents[k]
    if (g && !(sameShape(g.shape, o.shape) && g.dtype === o.dtype)) {
      throw new ShapeError(`vjp: expected a cotangent ${o.dtype}${shapeText(o.shape)} like output ${k}, got ${g.dtype}${shapeText(g.shape)}`)
    }
    if (o.source.kind === 'storage' && !inputs.includes(o)) {
      throw new UnsupportedError(`grad: expected an output that is yet to be computed, got one whose graph is gone, as output ${k} is evaluated already; take gradients first, then evaluate both`)
    }
  })
  return pullBack(outputs, inputs, cotangents, new Set())
}

/** {@link vjp} that does not look behind the tensors of `stop`, which are among the inputs. */
export function pullBack(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  cotangents: readonly Tensor[],
  stop: ReadonlySet<Tensor>,
): Tensor[] {
  const { device } = at(outputs, 0)
  const call = makeApplyOp<Tensor>({ apply, spec: (t) => t, scalar: (value, dtype) => scalar(device, value, dtype) })
  const { order, depends } = dependants(outputs, inputs, stop)
  const grads = new Map<Tensor, Cotangent>()
  const accumulate = (t: Tensor, g: Cotangent): void => {
    const known = grads.get(t)
    grads.set(t, known ? sum(known, g) : g)
  }
  outputs.forEach((o, k) => {
    const g = cotangents[k]
    if (g && depends.has(o)) accumulate(o, { g, when: [] })
  })
  for (const node of order.reverse()) {
    const given = node.outputs.map((o) => grads.get(o))
    if (given.every((g) => g === undefined)) continue
    const needs = node.inputs.map((t) => depends.has(t) && isFloat(t.dtype))
    if (!needs.includes(true)) continue
    if (!node.op.vjp) {
      if (node.op.blocksGradient) continue
      throw new UnsupportedError(`grad: ${node.op.name} has no gradient; put stopGradient() before it, or leave it out of the loss`)
    }
    const [only] = given
    if (only && (node.op.chooses || node.op.pointwise && only.when.length > 0)) {
      elementwise(call, node, only, needs).forEach((g, k) => { if (g) accumulate(at(node.inputs, k), g) })
      continue
    }
    const back = node.op.vjp(call, { inputs: node.inputs.map(computedAgain), outputs: node.outputs, grads: given.map((g) => g && cut(g)), attrs: node.attrs, needs })
    node.inputs.forEach((t, k) => {
      const g = back[k]
      if (g !== undefined && needs[k]) accumulate(t, { g, when: [] })
    })
  }
  return inputs.map((t) => {
    const g = grads.get(t)
    return g ? cut(g) : zeros(device, t.shape, { dtype: t.dtype })
  })
}

/** An operand as a gradient reads it, long after the forward pass: computed again where that is better than to keep it. */
function computedAgain(t: Tensor): Tensor {
  const { source } = t
  if (source.kind !== 'node' || !source.node.op.recomputed) return t
  const { op, inputs, attrs } = source.node
  return at(apply(op, inputs, attrs), source.index)
}

/** Cotangents of an elementwise op's inputs, cut only where they are summed along axes that the input was repeated on. */
function elementwise(call: ApplyOp<Tensor>, { op, inputs, outputs, attrs }: Node, { g, when }: Cotangent, needs: readonly boolean[]): (Cotangent | undefined)[] {
  const choices = op.chooses?.(call.m, inputs)
  const spread = inputs.map((t, k) => (needs[k] ? t.expand(g.shape) : t))
  const back = choices ? choices.map((c) => c && g) : op.vjp?.(call, { inputs: spread, outputs, grads: [g], attrs, needs }) ?? []
  return inputs.map((t, k) => {
    const d = back[k]
    if (d === undefined || !needs[k]) return undefined
    const choice = choices?.[k]
    const own = { g: d, when: choice ? [...when, choice] : when }
    return sameShape(t.shape, g.shape) ? own : { g: sumTo(call, cut(own), t.shape), when: [] }
  })
}

/** Nodes between inputs and outputs, operands first, and every tensor that depends on an input. */
function dependants(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  stop: ReadonlySet<Tensor>,
): { order: Node[]; depends: Set<Tensor> } {
  const depends = new Set<Tensor>(inputs)
  const order: Node[] = []
  const visited = new Set<Node>()
  const stack: { node: Node; next: number }[] = []
  const push = (t: Tensor): void => {
    const { source } = t
    if (stop.has(t) || source.kind !== 'node' || visited.has(source.node)) return
    visited.add(source.node)
    stack.push({ node: source.node, next: 0 })
  }
  for (const out of outputs) {
    push(out)
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const t = top.node.inputs[top.next++]
      if (t) {
        push(t)
        continue
      }
      stack.pop()
      if (!top.node.inputs.some((x) => depends.has(x))) continue
      order.push(top.node)
      for (const o of top.node.outputs) depends.add(o)
    }
  }
  return { order, depends }
}

/** Gradients of a scalar loss with respect to tensors of its graph. @throws {ShapeError} unless the loss has one element */
export function gradients(loss: Tensor, inputs: readonly Tensor[]): Tensor[] {
  if (loss.size !== 1) throw new ShapeError(`grad: expected a loss of one element, got shape [${loss.shape.join(',')}]; take its mean() or sum()`)
  return vjp([loss], inputs, [ones(loss.device, loss.shape, { dtype: loss.dtype })])
}

/** The function that gives the gradient of `fn` with respect to each of its arguments. */
export function grad<A extends readonly Tensor[]>(fn: (...args: A) => Tensor): (...args: A) => { [K in keyof A]: Tensor } {
  return (...args) => valueAndGrad(fn)(...args).grads
}

/** The function that gives the loss and its gradient with respect to each argument, as one graph. */
export function valueAndGrad<A extends readonly Tensor[]>(
  fn: (...args: A) => Tensor,
): (...args: A) => { readonly value: Tensor; readonly grads: { [K in keyof A]: Tensor } } {
  return (...args) => {
    const value = fn(...args)
    return { value, grads: gradients(value, args) as { [K in keyof A]: Tensor } }
  }
}
