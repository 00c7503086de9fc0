import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect } from 'vitest'
import type { PreferenceObjective, ReferredNetworks, StepPairBatch } from '../../index.ts'
import { Leaves, type Measured, shape } from '../../testing/oracle.ts'
import { ddimByHand, fixtures, stepsOf } from './steps.ts'
import type { StepMaterial } from './test-step-objective.ts'

/** Steps of the fixture. */
export type Pairs = StepPairBatch<undefined>
type FixtureName = 'x_t' | 'x_next_w' | 'x_next_l' | 'alphas_cumprod' | 'alphas_cumprod_prev'
type Fixture = Readonly<Record<FixtureName, readonly number[]>>

/** Three pairs of steps from samples of their own, so that either side has a prediction of its own. */
export function pairsFrom(leaves: Leaves, f: Fixture): Pairs {
  const by = ddimByHand(f.alphas_cumprod, f.alphas_cumprod_prev)
  const side = (next: readonly number[]) => stepsOf(leaves, by, leaves.of(f.x_t, shape), next)
  return { chosen: side(f.x_next_w), rejected: side(f.x_next_l), condition: undefined }
}

/** Of both sides. */
export function both(leaves: Leaves, chosen: readonly number[], rejected: readonly number[]): Tensor {
  return leaves.of([...chosen, ...rejected], [6, ...shape.slice(1)])
}

/** What an objective makes of the fixture; gradients by the predictions of the chosen half and of the rejected one. */
export function measure<Batch extends Pairs>(
  objective: PreferenceObjective<Batch, ReferredNetworks<undefined>>, made: (pairs: Pairs, leaves: Leaves) => Batch,
  swapped = false,
): Measured {
  const leaves = new Leaves()
  const f = fixtures.step
  const pairs = pairsFrom(leaves, f)
  const own = swapped ? both(leaves, f.eps_l, f.eps_w) : both(leaves, f.eps_w, f.eps_l)
  const frozen = both(leaves, f.eps_ref, f.eps_ref)
  const { grads: [grad = new Float64Array()], ...rest } = leaves.measure(
    objective.evaluate({ model: () => own, reference: () => frozen }, made(pairs, leaves)), [own],
  )
  const halves = [grad.slice(0, 96), grad.slice(96)]
  return { ...rest, grads: swapped ? halves.reverse() : halves }
}

interface Expected {
  readonly loss: number
  readonly grads: Readonly<Record<string, readonly number[]>>
}

/** Expects a case's loss, and gradients by either side. */
export function expectCase(got: Measured, { loss, grads }: Expected): void {
  expect(Math.abs(got.loss / loss - 1)).toBeLessThan(1e-8)
  for (const [i, values] of Object.values(grads).entries()) {
    const want = Float64Array.from(values)
    const size = Math.max(...want.map(Math.abs))
    expect(largestGap(want, got.grads[i] ?? []) / (size || 1)).toBeLessThan(1e-8)
  }
}

/** Pairs of steps from one sample. */
export function shared({ begin, step, condition }: StepMaterial): StepPairBatch<Tensor> {
  const begun = begin()
  return { chosen: step(begun), rejected: step(begun), condition }
}

/** Pairs of steps from samples of their own. */
export function apart({ begin, step, condition }: StepMaterial): StepPairBatch<Tensor> {
  return { chosen: step(begin()), rejected: step(begin()), condition }
}

/** What all that compare steps are held to: negated, pairs change places. */
export const held: {
  readonly opposite: (batch: StepPairBatch<Tensor>) => { readonly batch: StepPairBatch<Tensor> }
  readonly start: number
  readonly unread: readonly string[]
} = {
  opposite: (batch) => ({ batch: { ...batch, chosen: batch.rejected, rejected: batch.chosen } }), start: Math.LN2,
  unread: ['elapsed'],
}

/** Calls that all of them refuse. */
export function refusedBy(made: (options: never) => unknown): (() => unknown)[] {
  return [{ beta: 0 }, { clip: 1 }, { clip: -0.1 }, { eps: 0.1 }].map((options) => () => made(options as never))
}
