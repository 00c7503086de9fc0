import { ConfigError, gradients, ShapeError, type Tensor } from '@antipode/core'
import { gradientGap, interpret } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { negate, type PreferenceObjective } from '../index.ts'

/** A batch and networks, and what these are made of. */
export interface Setting<Batch, Networks extends object> {
  readonly batch: Batch
  readonly networks: Networks
  /** Parameters of networks in training, and of frozen ones. */
  readonly trained: readonly Tensor[]
  readonly frozen: readonly Tensor[]
}

/** What a setting may have of its own. */
export interface Variation {
  /** Whether all networks are one. */
  readonly alike?: boolean
  /** Whether predictions lack a part. */
  readonly narrow?: boolean
}

/** An objective, and what it is held to. */
export interface Subject<Kind extends string, Batch, Networks extends object> {
  /** With options under which the loss curves gently. */
  readonly objective: PreferenceObjective<Batch, Networks>
  /** Of models, or of samplers: gradients are held for each, the rest for the last. */
  readonly kinds: readonly [Kind, ...Kind[]]
  /** The same numbers each time. */
  readonly setting: (kind: Kind, variation?: Variation) => Setting<Batch, Networks>
  /** The opposite preference, by hand: an objective that is not negated on a batch that is reversed. */
  readonly opposite: (batch: Batch) => {
    readonly objective?: PreferenceObjective<Batch, Networks>
    readonly batch: Batch
  }
  /** The loss where all networks are one. */
  readonly start?: number | undefined
  /** Tensors of a batch that the loss reads, by name. */
  readonly read: (batch: Batch) => readonly (readonly [name: string, t: Tensor])[]
  /** Calls that are refused for their options. */
  readonly refused: readonly (() => unknown)[]
}

/** Gradients are within 1e-9 of differences here; the bound is for losses that curve more. */
const gradientTolerance = 1e-6

/**
 * The invariants of all objectives: gradients that are those of the loss, a negation that is the opposite preference
 * and undoes itself, frozen networks without gradients, a loss at the start as its formula says, numbers that are NaN
 * where anything they come from is, errors that name their kind. To be called within `describe`.
 */
export function testInvariants<Kind extends string, Batch, Networks extends object>(
  { objective, kinds, setting, opposite, start, read, refused }: Subject<Kind, Batch, Networks>,
): void {
  const last = kinds.at(-1) ?? kinds[0]
  /** Loss, metrics and gradients of an objective, all numbers. */
  const numbersOf = (o: PreferenceObjective<Batch, Networks>, swap = false): Float64Array[] => {
    const { batch, networks, trained } = setting(last)
    const { loss, metrics } = o.evaluate(networks, swap ? opposite(batch).batch : batch)
    return interpret([loss, ...Object.values(metrics), ...gradients(loss, trained)])
  }

  test.each(kinds)('its gradient is that of its loss, for %s', (kind) => {
    const { batch, networks, trained, frozen } = setting(kind as Kind)
    const { loss } = objective.evaluate(networks, batch)
    const parameters = Object.fromEntries(trained.map((t, i) => [`parameter ${i}`, t]))
    const gap = gradientGap(loss, parameters, { each: 1 })
    expect(gap.compared).toBe(trained.length)
    expect(gap.relative, JSON.stringify(gap)).toBeLessThan(gradientTolerance)
    const flat = (tensors: readonly Tensor[]): number[] => interpret(gradients(loss, tensors)).flatMap((g) => [...g])
    expect(flat(trained).some((g) => g !== 0)).toBe(true)
    if (frozen.length > 0) expect(flat(frozen).every((g) => g === 0)).toBe(true)
  })

  test('negated it is itself on the opposite preference, and negated twice itself, to the bit', () => {
    const { objective: other = objective } = opposite(setting(last).batch)
    expect(numbersOf(negate(objective))).toEqual(numbersOf(other, true))
    expect(numbersOf(negate(negate(objective)))).toEqual(numbersOf(objective))
    expect(numbersOf(negate(objective))).not.toEqual(numbersOf(objective))
    expect([negate(objective), negate(negate(objective))].map((o) => o.name))
      .toEqual([`negated ${objective.name}`, objective.name])
  })

  test('loss and metrics are single numbers', () => {
    const { batch, networks } = setting(kinds[0])
    const { loss, metrics } = objective.evaluate(networks, batch)
    for (const numbers of interpret([loss, ...Object.values(metrics)])) {
      expect(numbers).toHaveLength(1)
      expect(Number.isFinite(numbers[0])).toBe(true)
    }
  })

  if (start !== undefined) test('it starts where its formula says', () => {
    for (const kind of kinds) {
      const { batch, networks } = setting(kind, { alike: true })
      const [loss] = interpret([objective.evaluate(networks, batch).loss])
      expect(loss?.[0]).toBeCloseTo(start, 12)
    }
  })

  test('what is not a number makes a loss that is none', () => {
    const { batch, networks, trained, frozen } = setting(last)
    const { loss } = objective.evaluate(networks, batch)
    const parameters = [...trained, ...frozen].map((t, i) => [`parameter ${i}`, t] as const)
    for (const [name, t] of [...read(batch), ...parameters]) {
      const values = [...interpret([t])[0] ?? []]
      const [value] = interpret([loss], new Map([[t, [Number.NaN, ...values.slice(1)]]]))
      expect(value?.[0], name).toBeNaN()
    }
  })

  test('options out of range, and predictions of another shape, are refused', () => {
    for (const call of refused) expect(call).toThrow(ConfigError)
    const { batch, networks } = setting(last, { narrow: true })
    expect(() => objective.evaluate(networks, batch)).toThrow(ShapeError)
  })
}
