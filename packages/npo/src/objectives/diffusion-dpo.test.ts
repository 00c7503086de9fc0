import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { minSnr } from '../process/index.ts'
import { diffusionDpo, negate } from './index.ts'
import { expectCase, Leaves, measurePairs, oracle, shape, sizeOfEach } from './testing/oracle.ts'
import { exchanged, pairsFrom, referred, testObjective } from './testing/test-objective.ts'

const objective = diffusionDpo<undefined>({ beta: 1000 })

for (const options of [{ beta: 2 }, { beta: 1, factor: 1, labelSmoothing: 0.25 }] as const) {
  testObjective(`diffusion-dpo of ${JSON.stringify(options)}`, {
    objective: diffusionDpo<Tensor>(options), networks: referred, batch: pairsFrom, opposite: exchanged,
    start: Math.LN2,
    refused: [
      () => diffusionDpo({ beta: 0 }), () => diffusionDpo({} as never), () => diffusionDpo({ beta: 1, factor: 2 as never }),
      () => diffusionDpo({ beta: 1, labelSmoothing: 1.5 }), () => diffusionDpo({ beta: 1, kappa: 1 } as never),
    ],
  })
}

const released = [
  'dpo_sf', 'dpo_sf_v', 'dpo_min_snr', 'dpo_min_snr_v', 'npo_sf', 'npo_sf_v', 'dpo_init', 'dpo_sf_corr',
] as const
test.each(released)('loss, metrics and gradients are those of the released script: %s', (name) => {
  const { numbers: given, expected } = oracle(name)
  const swapped = name.startsWith('npo')
  const weight = name.includes('min_snr') ? { weight: minSnr() } : {}
  const numbers = name === 'dpo_init' ? { ...given, net_w: given['ref_w'] ?? [], net_l: given['ref_l'] ?? [] } : given
  // A negated objective prefers the rejected half, so the model is asked for that first.
  const got = measurePairs(swapped ? negate(objective) : objective, numbers, { swapped, ...weight })
  expectCase(got, expected)
  const { implicit_acc_tie_half: accuracy, raw_model_loss: error, raw_ref_loss: referenceError } = expected
  if (error !== undefined) {
    expect(got.metrics['accuracy']).toBeCloseTo(accuracy ?? Number.NaN, 10)
    expect(got.metrics['error']).toBeCloseTo(error, 10)
    expect(got.metrics['referenceError']).toBeCloseTo(referenceError ?? Number.NaN, 10)
  }
})

test.each(['dpo_lora', 'dpo_lora_v'] as const)('the other convention of β is a factor of 1: %s', (name) => {
  const { numbers, expected } = oracle(name)
  const got = measurePairs(diffusionDpo({ beta: 500, factor: 1 }), numbers)
  expectCase(got, expected)
  expect(got).toEqual(measurePairs(diffusionDpo({ beta: 1000 }), numbers))
})

test('smoothed by a share it is the loss of labels of which that share is wrong, and by all of them its negation', () => {
  const { numbers, expected } = oracle('dpo_label_smoothing')
  expectCase(measurePairs(diffusionDpo({ beta: 1000, labelSmoothing: 0.1 }), numbers), expected)
  const { loss, grads } = measurePairs(diffusionDpo({ beta: 1000, labelSmoothing: 1 }), numbers)
  const negated = measurePairs(negate(objective), numbers, { swapped: true })
  expect([loss, grads]).toEqual([negated.loss, negated.grads])
})

test('a flow is held to ε − x₀ at x = (1 − σ)·x₀ + σ·ε', () => {
  const leaves = new Leaves()
  const { numbers } = oracle('dpo_sf_v')
  const at = (name: string): readonly number[] => numbers[name] ?? []
  const sigmas = [0.1, 0.5, 0.96]
  const sigmaOf = (i: number): number => sigmas[Math.floor(i / sizeOfEach)]!
  const column = (values: readonly number[]): Tensor => leaves.of(values, [3, 1, 1, 1])
  const batch = {
    predictionType: 'flow_prediction' as const, condition: undefined, timesteps: leaves.of([100, 500, 960], [3]),
    alpha: column(sigmas.map((s) => 1 - s)), sigma: column(sigmas), noise: leaves.of(at('noise'), shape),
    chosen: leaves.of(at('x0_w'), shape), rejected: leaves.of(at('x0_l'), shape),
  }
  const seen: Tensor[] = []
  const network = (name: string) => {
    const predictions = leaves.of([...at(`${name}_w`), ...at(`${name}_l`)], [6, 2, 4, 4])
    return (x: Tensor): Tensor => {
      seen.push(x)
      return predictions
    }
  }
  const { loss } = leaves.measure(objective.evaluate({ model: network('net'), reference: network('ref') }, batch), [])

  // From the formulas, with nothing of this library.
  const errorOf = (name: string, half: string, b: number): number => {
    const [predicted, clean] = [at(`${name}_${half}`), at(`x0_${half}`)]
    const squares = predicted.map((v, i) => (v - (at('noise')[i]! - clean[i]!)) ** 2)
    return squares.slice(b * sizeOfEach, (b + 1) * sizeOfEach).reduce((sum, v) => sum + v, 0) / sizeOfEach
  }
  const marginOf = (name: string, b: number): number => errorOf(name, 'w', b) - errorOf(name, 'l', b)
  const losses = [0, 1, 2].map((b) => {
    const z = -500 * (marginOf('net', b) - marginOf('ref', b))
    return Math.max(0, -z) + Math.log1p(Math.exp(-Math.abs(z)))
  })
  expect(loss).toBeCloseTo(losses.reduce((a, b) => a + b) / 3, 8)
  const noised = ['x0_w', 'x0_l'].flatMap((half) =>
    at(half).map((x, i) => (1 - sigmaOf(i)) * x + sigmaOf(i) * at('noise')[i]!))
  expect(seen).toHaveLength(2)
  for (const x of seen) expect(largestGap(Float64Array.from(noised), leaves.read(x))).toBeLessThan(1e-12)
})
