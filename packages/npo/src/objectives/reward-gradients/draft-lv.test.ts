import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { draftLv } from '../index.ts'
import { expectCase, expectRefusals, fixture, inputs, out, scheduler, shape, steps, stoodAt } from './testing/fixture.ts'

test.each([true, false])('is a mean over noises, so that the same twice is once; computed again: %s', (checkpoint) => {
  const f = fixture()
  const { leaves } = f
  const { state: { sample: samples } } = stoodAt(f, 5)
  const noises = [0, 1].map((k) => leaves.of(inputs.lv_noises.slice(64 * k, 64 * k + 64), shape))
  const batch = { samples, condition: undefined, solver: { ...scheduler.begin<Tensor>(steps), step: 4 }, noises }
  expectCase(f, draftLv<undefined>({ ...f.options, checkpoint }), batch, out.draft_lv)
  const of = (some: readonly Tensor[]) => {
    const { loss, grads } = leaves.measure(draftLv<undefined>(f.options).evaluate({ model: f.guided }, { ...batch, noises: some }), f.weights)
    return [loss, ...grads.map((g) => g[0] as number)]
  }
  const [once, twice] = [of(noises.slice(0, 1)), of([noises[0]!, noises[0]!])]
  once.forEach((value, i) => { expect(twice[i]).toBeCloseTo(value, 12) })
})

test('options that are none are refused', () => { expectRefusals(draftLv) })
