import { expect, test } from 'vitest'
import { combine, float32Linear } from '../../linear/index.ts'
import type { Scheduler } from '../../run/index.ts'
import { varianceOrder } from '../../testing/index.ts'
import { flowMatchEuler } from '../flow-match-euler/index.ts'
import { flowMatchSde } from './flow-match-sde.ts'

const [x, v, noise] = [Float32Array.of(0.5, -2), Float32Array.of(-1, 0.25), Float32Array.of(1, -1)]

test('without noise it is Euler\'s method', () => {
  const [sde, euler] = [flowMatchSde({ noiseLevel: 0, shift: 3 }), flowMatchEuler({ shift: 3 })]
  const [one, other] = [sde.begin<Float32Array>(4), euler.begin<Float32Array>(4)]
  expect(sde.needsNoise(one)).toBe(false)
  const [got, want] = [sde.step(float32Linear, one, v, x), euler.step(float32Linear, other, v, x)]
  got.sample.forEach((value, i) => { expect(value).toBeCloseTo(want.sample[i]!, 6) })
})

/** The scheduler for a model that says x₀, with levels from 0.9 down. */
function toldClean(scheduler: Scheduler): Scheduler {
  return {
    ...scheduler,
    begin: (steps) => scheduler.begin({ sigmas: Array.from({ length: Number(steps) }, (_, i) => 0.9 * (1 - i / Number(steps)) + 0.05) }),
    step(linear, state, clean, sample, drawn) {
      const { noise: sigma } = scheduler.level(state)
      const velocity = combine(linear, [[1 / sigma, sample], [-1 / sigma, clean]])
      return scheduler.step(linear, state, velocity, sample, drawn)
    },
  }
}

test.each(['growing', 'constant'] as const)('the variance of its samples is of first order with a diffusion that is %s', (diffusion) => {
  expect(varianceOrder(toldClean(flowMatchSde({ diffusion })), 400)).toBeCloseTo(1, 1)
})

test('of x₀ it is told by a hook it makes the velocity', () => {
  const scheduler = flowMatchSde()
  const state = scheduler.begin<Float32Array>({ sigmas: [0.5, 0.25] })
  const hooked = scheduler.step(float32Linear, state, v, x, noise, { x0: () => Float32Array.of(0.25, 1) })
  const plain = scheduler.step(float32Linear, state, Float32Array.of(0.5, -6), x, noise)
  hooked.sample.forEach((value, i) => { expect(value).toBeCloseTo(plain.sample[i]!, 6) })
})
