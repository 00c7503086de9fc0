import type { Op } from '@antipode/kernels-wgsl'
import { callable, checkArgument } from '../options/index.ts'
import type { Signature } from './node.ts'

/** A tensor, as far as it is told from others. */
interface Operand {
  readonly spec: { readonly key: number }
  readonly source: { readonly kind: string; readonly value?: number; readonly bytes?: Uint8Array }
}

/** An application of an op, as far as it is told from others. */
interface Application<T> {
  readonly op: Op
  readonly inputs: readonly T[]
  /** What it stands for, where it is a call of a compiled function. */
  readonly trace: unknown
}

/** What was built so far, and a number for each tensor that was met. */
interface Built {
  readonly outputs: Map<string, readonly Operand[]>
  readonly numbers: Map<Operand, number>
}

let built: Built | undefined

/**
 * Builds a graph in which nothing is computed twice: an operation that is applied again to the same operands gives the
 * same tensors. Two branches of guidance that differ in an adapter so share what comes before its first layer.
 * Operations in place, and calls of compiled functions, are left as they are.
 * @param build is over when it returns: what it awaits is not part of it @throws {ConfigError} if it is no function
 */
export function common<T>(build: () => T): T {
  checkArgument('common', 'build', build, callable)
  const outer = built
  built ??= { outputs: new Map(), numbers: new Map() }
  try {
    return build()
  } finally {
    built = outer
  }
}

/** What an op gives: within {@link common}, what it gave before. */
export function onceWithin<T extends Operand>(
  { op, inputs, trace }: Application<T>,
  { key }: Signature,
  make: () => readonly T[],
): readonly T[] {
  if (!built || op.inplace || trace !== undefined) return make()
  const { outputs, numbers } = built
  const name = `${key}(${inputs.map((t) => nameOf(t, numbers)).join()})`
  const known = outputs.get(name) as readonly T[] | undefined // what the same op made of operands of this type
  if (known && !op.recomputed) return known
  const made = make()
  if (!known) outputs.set(name, made)
  // What is rather computed again than kept has the same name, so that what is computed of it is known.
  else made.forEach((t, k) => numbers.set(t, numberOf(known[k] as Operand, numbers)))
  return made
}

/** Numbers of the graph are told by what they are, all else by being the same tensor. */
function nameOf(t: Operand, numbers: Map<Operand, number>): string {
  const { spec: { key }, source: { value, bytes } } = t
  if (value !== undefined) return `${key}=${Object.is(value, -0) ? '-0' : value}`
  if (bytes) return `${key}=${bytes.join('.')}`
  return `#${numberOf(t, numbers)}`
}

function numberOf(t: Operand, numbers: Map<Operand, number>): number {
  const known = numbers.get(t) ?? numbers.size
  numbers.set(t, known)
  return known
}
