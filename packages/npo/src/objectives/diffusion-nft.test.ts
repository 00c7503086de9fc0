import { ConfigError, ShapeError, type Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { diffusionNft, negate } from './index.ts'
import { Leaves, type Measured, oracle, shape } from './testing/oracle.ts'

interface Changes {
  readonly v?: readonly number[]
  readonly r?: readonly number[]
  readonly negated?: boolean
}

/** The objective's measures on the fixture's predictions, as they are or changed by name. */
function measure(adaptive: boolean, changes: Changes = {}): Measured {
  const leaves = new Leaves()
  const { numbers, expected } = oracle('nft_plain')
  const of = (name: string): Tensor => leaves.of(numbers[name] ?? [], shape)
  const times = numbers['t'] ?? []
  const column = (values: readonly number[]): Tensor => leaves.of(values, [3, 1, 1, 1])
  const { r = [] } = expected as { r?: readonly number[] }
  const batch = {
    predictionType: 'flow_prediction' as const, condition: undefined, timesteps: leaves.of(times, [3]),
    noise: of('noise'), samples: of('x0'), alpha: column(times.map((t) => 1 - t)),
    sigma: column(times), optimality: leaves.of(changes.r ?? r, [3]),
  }
  const [v, old] = [leaves.of(changes.v ?? numbers['v'] ?? [], shape), of('v_old')]
  const plain = diffusionNft<undefined>({ beta: 0.5, adaptive })
  const objective = changes.negated ? negate(plain) : plain
  return leaves.measure(objective.evaluate({ model: () => v, old: () => old }, batch), [v])
}

test('loss and gradient are those of the paper\'s form on a flow', () => {
  const { expected } = oracle('nft_plain')
  const got = measure(false)
  expect(Math.abs(got.loss / expected.loss - 1)).toBeLessThan(1e-8)
  const want = Float64Array.from(expected.grads['v'] ?? [])
  expect(largestGap(want, got.grads[0] ?? []) / Math.max(...want.map(Math.abs))).toBeLessThan(1e-8)
})

test('divided by distances it is the released loss, before that is multiplied and a divergence added', () => {
  const { per_example: each = [] } = oracle('nft_released').expected as { per_example?: readonly number[] }
  expect(Math.abs(measure(true).loss / (each.reduce((a, b) => a + b, 0) / 3) - 1)).toBeLessThan(1e-8)
})

test('negated it is the objective on 1 − r, as if the prediction were reflected about the old one', () => {
  const { numbers, expected } = oracle('nft_plain')
  const { r = [] } = expected as { r?: readonly number[] }
  const negated = measure(true, { negated: true })
  expect(Math.abs(negated.loss - measure(true, { r: r.map((v) => 1 - v) }).loss)).toBeLessThan(1e-14)
  const reflected = measure(true, { v: (numbers['v'] ?? []).map((v, i) => 2 * numbers['v_old']![i]! - v) })
  expect(Math.abs(negated.loss - reflected.loss)).toBeLessThan(1e-14)
  const [own, opposite] = [negated.grads[0], reflected.grads[0]] as [Float64Array, Float64Array]
  expect(largestGap(own, opposite.map((g) => -g))).toBeLessThan(1e-14)
})

test('options out of range and predictions of another shape are refused', () => {
  for (const options of [{}, { beta: 0 }, { beta: 1, adaptive: 1 }, { beta: 1, kl: 1 }]) {
    expect(() => diffusionNft(options as never)).toThrow(ConfigError)
  }
  const leaves = new Leaves()
  const column = (): Tensor => leaves.of([0.5], [1, 1])
  const batch = {
    predictionType: 'flow_prediction' as const, condition: undefined, timesteps: leaves.of([500], [1]),
    noise: leaves.of([1, 2], [1, 2]), samples: leaves.of([1, 2], [1, 2]), alpha: column(), sigma: column(),
    optimality: leaves.of([1], [1]),
  }
  // It would broadcast.
  const narrow = (x: Tensor): Tensor => x.slice(1, 0, 1)
  expect(() => diffusionNft<undefined>({ beta: 1 }).evaluate({ model: narrow, old: narrow }, batch)).toThrow(ShapeError)
})
