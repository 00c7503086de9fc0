import { gradients, ShapeError, type Tensor, tensor } from '@antipode/core'
import { FakeHost, gradientGap, interpret } from '@antipode/core/testing'
import { ddim, dpmSolverMultistep, type Scheduler } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import type { Denoiser } from '../../denoiser.ts'
import { diffusionDpo, draft, negate } from '../index.ts'
import { expectCase, expectNames, expectRefusals, fixture, meanOfEach, out, stoodAt, toy } from './testing/fixture.ts'

describe.each([true, false])('with what is kept computed again: %s', (checkpoint) => {
  test.each([1, 2, 5] as const)('the gradient goes back through the last %i steps', (last) => {
    const f = fixture()
    expectCase(f, draft<undefined>({ ...f.options, checkpoint }), stoodAt(f, 5 - last), out[`draft_${last}`])
  })
})

test('with the reward of the other sign, a linear loss has the gradient of the other sign', () => {
  const f = fixture()
  const swapped = negate(draft<undefined>(f.options))
  expectCase(f, swapped, stoodAt(f, 4), out.reward_swap_npo)
  const { metrics } = f.leaves.measure(swapped.evaluate({ model: f.guided }, stoodAt(f, 4)), f.weights)
  expect(metrics['reward']).toBeCloseTo((out.draft_1.reward[0]! + out.draft_1.reward[1]!) / 2, 8)
  expectNames(draft(f.options))
})

test.each<[string, Scheduler]>([
  ['a multistep solver', dpmSolverMultistep({ betaSchedule: 'scaled_linear' })],
  ['DDIM with noise', ddim({ betaSchedule: 'scaled_linear', eta: 1, clipSample: false })],
])('as many steps as a run of %s has give its whole gradient', (_, sampler) => {
  const { model, batch, options, parameters } = toy(sampler, 3)
  for (const checkpoint of [true, false]) {
    const { loss } = draft<Tensor>({ ...options, checkpoint }).evaluate({ model }, batch)
    const gap = gradientGap(loss, parameters)
    expect(gap.relative, JSON.stringify(gap)).toBeLessThan(1e-6)
  }
})

test('a loss of one\'s own is of the rewards, whose sign alone is negated', () => {
  const { model, batch, options } = toy(ddim({ clipSample: false }), 2)
  const loss = (rewards: Tensor): Tensor => rewards.sub(1).abs()
  const [plain, negated, metric] = [draft<Tensor>({ ...options, loss }), negate(draft<Tensor>({ ...options, loss }))].flatMap((o) => {
    const made = o.evaluate({ model }, batch)
    return [made.loss, made.metrics['reward'] as Tensor]
  }).map((t) => interpret([t])[0]?.[0] as number) as [number, number, number]
  // Both rewards are below 0.
  expect(plain).toBeCloseTo(1 - negated, 12)
  expect(metric).toBeCloseTo(1 + negated, 12)
})

test('options that are none, rewards that are not one a sample and predictions of another shape are refused', () => {
  expectRefusals(draft)
  const { model, batch, options } = toy(ddim({ clipSample: false }), 1)
  expect(() => draft<Tensor>({ ...options, reward: (x) => x }).evaluate({ model }, batch)).toThrow(ShapeError)
  expect(() => draft<Tensor>(options).evaluate({ model: (x, t, c) => model(x, t, c).slice(1, 0, 1) }, batch)).toThrow(ShapeError)
})

describe('the memory of a step, as it is planned', () => {
  const host = new FakeHost()
  const [rows, width] = [512, 64]
  const weights = Array.from({ length: 4 }, (_, i) => tensor(host, Array.from({ length: width * width }, (_, k) => Math.sin(i + k)), [width, width]))
  const model: Denoiser<undefined> = (x) => weights.reduce((h, w) => h.matmul(w).silu(), x)
  const leaf = (): Tensor => tensor(host, Array<number>(rows * width).fill(0.5), [rows, width])
  const sampler = ddim({ clipSample: false })
  const peakOf = (loss: Tensor): number => {
    const { memory } = host.plan(loss, ...gradients(loss, weights))
    return memory.slots.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  const peak = (graded: number, checkpoint: boolean): number => {
    const objective = draft<undefined>({ scheduler: sampler, reward: meanOfEach, checkpoint })
    const solver = { ...sampler.begin<Tensor>(10), step: 10 - graded }
    return peakOf(objective.evaluate({ model }, { state: { sample: leaf(), solver }, condition: undefined, noises: [] }).loss)
  }

  test('grows with the steps that are differentiated by as much each, and by two samples each where steps are computed again', () => {
    const [one, two, three, four] = [1, 2, 3, 4].map((k) => peak(k, false)) as [number, number, number, number]
    expect(two).toBeGreaterThan(one * 1.3)
    // Memory is taken by whole activations.
    expect(Math.abs(four - 2 * three + two)).toBeLessThanOrEqual(4 * rows * width)
    const again = [1, 2, 3, 4].map((k) => peak(k, true)) as [number, number, number, number]
    // A step keeps its sample and what was predicted of it.
    expect(again[3] - again[0]).toBeLessThanOrEqual(3 * 2 * 4 * rows * width)
    expect(again[3]).toBeLessThan(0.5 * four)
  })

  test('stays under 1.5 times that of a DPO step where steps are computed again', () => {
    const column = (): Tensor => tensor(host, Array<number>(rows).fill(0.5), [rows, 1])
    const pairs = {
      predictionType: 'epsilon' as const, timesteps: tensor(host, Array<number>(rows).fill(1)), alpha: column(), sigma: column(), noise: leaf(),
      chosen: leaf(), rejected: leaf(), condition: undefined,
    }
    const dpo = peakOf(diffusionDpo<undefined>({ beta: 1 }).evaluate({ model, reference: model }, pairs).loss)
    for (const graded of [1, 2, 4]) expect(peak(graded, true) / dpo).toBeLessThan(1.5)
  })
})
