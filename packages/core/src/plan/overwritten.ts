import { at, type Spec } from '@antipode/kernels-wgsl'
import { UnsupportedError } from '../errors.ts'
import type { LeafStructure } from './graph.ts'
import { inOrder, type Operand, type ValueId } from './resolved.ts'

/** Which values lie in leaves, and which of them are there still. */
export class Overwritten {
  readonly #leaves: readonly LeafStructure[]
  /** The leaf in which a value lies. */
  readonly #leafOf = new Map<ValueId, number>()
  /** The value that overwrote a leaf last, by the leaf's owner. */
  readonly #holder = new Map<number, ValueId>()

  constructor(leaves: readonly LeafStructure[]) {
    this.#leaves = leaves
  }

  /** Notes what a leaf holds at first. */
  holds(leaf: number, value: ValueId): void {
    this.#leafOf.set(value, leaf)
  }

  /** Notes that a result overwrites an operand. Returns the leaf. @throws {UnsupportedError} unless that is a leaf */
  note(where: string, { value, view }: Operand, spec: Spec, result: ValueId): number {
    const leaf = this.#leafOf.get(value)
    if (leaf === undefined || !inOrder(view, spec)) {
      throw new UnsupportedError(
        `${where}: expected to overwrite an evaluated tensor, got a computed one; evaluate it first`,
      )
    }
    this.#leafOf.set(result, leaf)
    this.#holder.set(at(this.#leaves, leaf).owner, result)
    return leaf
  }

  /** The leaves that were overwritten, under whichever shape, by number. */
  leaves(): number[] {
    return this.#leaves.flatMap(({ owner }, index) => (this.#holder.has(owner) ? [index] : []))
  }

  /** @throws {UnsupportedError} if a value was overwritten by a later one */
  expectFresh(where: string, value: ValueId): void {
    const leaf = this.#leafOf.get(value)
    const holder = leaf === undefined ? undefined : this.#holder.get(at(this.#leaves, leaf).owner)
    if (holder === undefined || holder === value) return
    throw new UnsupportedError(
      `${where}: expected the value of a tensor before it was overwritten, which this graph has overwritten already; ` +
      'evaluate what reads the old value first',
    )
  }
}
