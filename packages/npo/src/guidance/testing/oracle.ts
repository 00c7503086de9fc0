import { type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret, largestGap } from '@antipode/core/testing'
import { expect } from 'vitest'
import type { GuidancePoint, GuidanceState, Guider } from '../index.ts'
import golden from './guiders.golden.json' with { type: 'json' }

const host = new FakeHost()
const values = new Map<Tensor, readonly number[]>()

export const fixture: typeof golden.fixture = golden.fixture
export const cases: typeof golden.cases = golden.cases
/** What ordinary guidance moves away from, and what a negative model gives in its place. */
export const kinds = ['base', 'npo'] as const
const negatives = { base: fixture.uncond, npo: fixture.npo_neg }
const stepNegatives = { base: fixture.steps_uncond, npo: fixture.steps_npo_neg }

/** Somewhere in a run. */
export const place: GuidancePoint = { step: 0, steps: 10, sigma: 1, nextSigma: 0.5 }
export const fresh: GuidancePoint & { readonly state: GuidanceState } = { ...place, state: {} }

/** Numbers in full precision. */
export function leaf(numbers: readonly number[], shape: readonly number[] = [2, 2, 4, 4]): Tensor {
  const t = tensor(host, numbers, shape)
  values.set(t, numbers)
  return t
}

export function read(t: Tensor): Float64Array {
  return interpret([t], values)[0] ?? new Float64Array()
}

export function closeTo(want: readonly number[], got: ArrayLike<number>, bound = 1e-9): void {
  const largest = Math.max(1, ...want.map(Math.abs))
  expect(got).toHaveLength(want.length)
  expect(largestGap(Float64Array.from(want), got) / largest).toBeLessThan(bound)
}

/** What a guider makes of one call, of two predictions or three. */
export function once(guider: Guider, kind: (typeof kinds)[number], worse?: readonly number[]): Float64Array {
  const predictions = { positive: leaf(fixture.cond), negative: leaf(negatives[kind]) }
  const all = worse ? { ...predictions, perturbed: leaf(worse) } : predictions
  return read(guider.guide(all, { ...fresh, step: 1 }).prediction)
}

/** What a guider makes of three calls, one after the other. */
export function run(
  guider: Guider, kind: (typeof kinds)[number], calls: readonly Partial<GuidancePoint>[] = [{}, {}, {}],
): Float64Array[] {
  let state: GuidanceState = {}
  return calls.map((at, k) => {
    const of = (all: readonly number[]): Tensor => leaf(all.slice(64 * k, 64 * k + 64))
    const predictions = { positive: of(fixture.steps_cond), negative: of(stepNegatives[kind]) }
    const next = guider.guide(predictions, { ...place, step: k, ...at, state })
    state = next.state
    return read(next.prediction)
  })
}
