import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { diffusionNft, negate } from './index.ts'
import { expectCase, Leaves, type Measured, oracle, shape } from './testing/oracle.ts'
import { testObjective } from './testing/test-objective.ts'

for (const adaptive of [true, false]) {
  testObjective(`diffusion-nft${adaptive ? ' divided by distances' : ''}`, {
    objective: diffusionNft<Tensor>({ beta: 0.5, adaptive }),
    networks: ({ trained, frozen }) => ({ model: trained(), old: frozen() }),
    batch: ({ draw, condition, samples, each }) => ({
      ...draw, condition, samples: samples(), optimality: each(0.625, 0.25, 1),
    }),
    opposite: (batch) => ({ batch: { ...batch, optimality: batch.optimality.mul(-1).add(1) } }),
    refused: [
      () => diffusionNft({} as never), () => diffusionNft({ beta: 0 }), () => diffusionNft({ beta: 1, adaptive: 1 as never }),
      () => diffusionNft({ beta: 1, kl: 1 } as never),
    ],
  })
}

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
  expectCase(measure(false), oracle('nft_plain').expected, ['v'])
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
