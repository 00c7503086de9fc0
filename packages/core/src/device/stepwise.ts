import { at, entry, isFloat, shapeText } from '@antipode/kernels-wgsl'
import { NumericError } from '../errors.ts'
import { apply, type Elements, type Node, type Tensor, type TraceRef } from '../graph/index.ts'
import { decodeElements } from '../io/index.ts'
import { nodesBehind } from '../plan/index.ts'

/** What runs single operations: evaluates some tensors, and reads one that owns its value. */
export interface Stepper {
  evaluate(tensors: readonly Tensor[]): Promise<void>
  read(tensor: Tensor): Promise<Elements>
}

/** One operation of a graph; its values are numbered. */
interface Step {
  readonly node: Node
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

interface Program {
  readonly steps: readonly Step[]
  /** The tensors that no step gives, by number. */
  readonly leaves: ReadonlyMap<number, Tensor>
  readonly numberOf: (t: Tensor) => number
}

/** Where the first NaN and the first infinity of a tensor are, -1 if it has none. */
interface NonFinite {
  readonly nan: number
  readonly infinite: number
}

const allFinite: NonFinite = { nan: -1, infinite: -1 }

/**
 * Computes tensors operation by operation, each on what the ones before it gave, and looks at every value.
 * @throws {NumericError} that names the first operation that makes a NaN, or an infinity of operands that have none
 */
export async function evaluateStepwise(wanted: readonly Tensor[], host: Stepper): Promise<void> {
  const { steps, leaves, numberOf } = flatten(wanted)
  const results = wanted.map(numberOf)
  const values = new Map(leaves)
  const found = new Map<Tensor, NonFinite>()
  const last = lastUses(steps, results)
  try {
    for (const [number, step] of steps.entries()) {
      const inputs = step.inputs.map((k) => entry(values, k))
      const outputs = apply(step.node.op, inputs, step.node.attrs)
      step.outputs.forEach((k, i) => values.set(k, at(outputs, i)))
      if (!isLazy(step.node)) await run(step.node, inputs, outputs, host, found)
      for (const [k, t] of values) {
        if (leaves.has(k) || (last.get(k) ?? -1) > number) continue
        t.dispose()
        values.delete(k)
      }
    }
    const stands = results.map((k) => entry(values, k))
    await host.evaluate(stands)
    wanted.forEach((t, i) => {
      const { source } = at(stands, i)
      if (t.source.kind === 'node' && source.kind === 'storage') t.realise(source.storage.retain())
    })
  } finally {
    for (const [k, t] of values) if (!leaves.has(k)) t.dispose()
  }
}

/** What only looks into other values is left to those that read it, as in-place updates need to see through it. */
function isLazy({ op }: Node): boolean {
  return op.view !== undefined || op.offsetsInOutput !== undefined
}

async function run(node: Node, inputs: readonly Tensor[], outputs: readonly Tensor[], host: Stepper, known: Map<Tensor, NonFinite>): Promise<void> {
  // Before it runs: it may overwrite them.
  const before: NonFinite[] = []
  for (const t of inputs) before.push(await look(t, host, known))
  before.forEach(({ nan }, k) => {
    if (nan < 0) return
    const where = textOf(at(inputs, k), nan)
    throw blame(node, `expected finite operands, got NaN in ${where}, which was given`, where)
  })
  await host.evaluate(outputs)
  for (const t of outputs) {
    const { nan, infinite } = await look(t, host, known)
    const first = nan >= 0 ? nan : before.some((f) => f.infinite >= 0) ? -1 : infinite
    if (first >= 0) {
      const what = nan >= 0 ? 'NaN' : 'an infinity'
      const where = textOf(t, first)
      throw blame(node, `expected a finite result, got ${what} in ${where}, the first of this graph`, `${node.op.name} ${where}`)
    }
  }
}

function textOf(t: Tensor, element: number): string {
  return `${t.dtype}${shapeText(t.shape)}, element ${element}`
}

function blame({ op, stack }: Node, what: string, where: string): NumericError {
  return new NumericError(`${op.name}: ${what}; the operation was made here:\n${stack ?? ''}`, { where })
}

async function look(t: Tensor, host: Stepper, known: Map<Tensor, NonFinite>): Promise<NonFinite> {
  if (!isFloat(t.dtype)) return allFinite
  const before = known.get(t)
  if (before) return before
  const { source } = t
  let found = allFinite
  if (source.kind === 'scalar') found = scan([source.value])
  else if (source.kind === 'constant') found = scan(decodeElements(source.bytes.slice().buffer as ArrayBuffer, t.dtype, t.size))
  else if (source.kind === 'storage') found = scan(await host.read(t))
  else if (source.kind === 'node') {
    const { node, index } = source
    let clean = true
    for (const x of node.inputs) {
      const { nan, infinite } = await look(x, host, known)
      clean &&= nan < 0 && infinite < 0
    }
    if (!clean) {
      // It must stay as it is for the operation that sees through it.
      using copy = at(apply(node.op, node.inputs, node.attrs), index)
      await host.evaluate([copy])
      found = scan(await host.read(copy))
    }
  }
  known.set(t, found)
  return found
}

function scan(data: ArrayLike<number>): NonFinite {
  let [nan, infinite] = [-1, -1]
  for (let i = 0; i < data.length && nan < 0; i++) {
    const x = data[i] as number
    if (Number.isFinite(x)) continue
    if (Number.isNaN(x)) nan = i
    else if (infinite < 0) infinite = i
  }
  return { nan, infinite }
}

/** The operations of a graph in the order in which they run, those of compiled functions among them. */
function flatten(wanted: readonly Tensor[]): Program {
  const numbers = new Map<Tensor, number>()
  const leaves = new Map<number, Tensor>()
  const steps: Step[] = []
  let count = 0
  const numberOf = (t: Tensor): number => {
    const known = numbers.get(t)
    if (known !== undefined) return known
    numbers.set(t, count)
    leaves.set(count, t)
    return count++
  }
  const push = (node: Node, inputs: readonly number[]): readonly number[] => {
    const outputs = node.specs.map(() => count++)
    steps.push({ node, inputs, outputs })
    return outputs
  }
  for (const node of nodesBehind(wanted)) {
    const inputs = node.inputs.map(numberOf)
    const { trace } = node
    let outputs: readonly number[]
    if (trace) {
      const inner: (readonly number[])[] = []
      const inside = (r: TraceRef): number => (r.kind === 'input' ? at(inputs, r.index) : at(at(inner, r.node), r.index))
      for (const one of trace.nodes) inner.push(push(one.node, one.inputs.map(inside)))
      outputs = trace.outputs.map(inside)
    } else outputs = push(node, inputs)
    node.outputs.forEach((t, k) => numbers.set(t, at(outputs, k)))
  }
  return { steps, leaves, numberOf }
}

/** The step after which each value is needed no more. */
function lastUses(steps: readonly Step[], wanted: readonly number[]): ReadonlyMap<number, number> {
  const last = new Map(wanted.map((k) => [k, Infinity]))
  for (let number = steps.length - 1; number >= 0; number--) {
    const { node, inputs, outputs } = at(steps, number)
    const until = isLazy(node) ? Math.max(number, ...outputs.map((k) => last.get(k) ?? -1)) : number
    for (const k of inputs) last.set(k, Math.max(until, last.get(k) ?? -1))
  }
  return last
}
