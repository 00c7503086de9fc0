import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import golden from './diffusion-kto.golden.json' with { type: 'json' }
import { diffusionKto, type DiffusionKtoOptions, type LabelledBatch } from './index.ts'
import { type Case, expectCase, Leaves, type Measured, oracle } from './testing/oracle.ts'
import { type Material, referred, testObjective } from './testing/test-objective.ts'

const variants = [
  ['kahneman-tversky', 'batch'], ['loss-averse', 'batch'], ['risk-seeking', 'batch'], ['kahneman-tversky', 'balanced'],
  ['kahneman-tversky', 'mismatched'], ['risk-seeking-1', 'batch'], ['risk-seeking-2', 'batch'],
] as const

function batchOf({ draw, condition, samples, each }: Material): LabelledBatch<Tensor> {
  return { ...draw, condition, samples: samples(), labels: each(1, 0, 1) }
}
/** 1 − U(0) of what is liked and of what is not. */
const atZero = {
  'kahneman-tversky': [0.5, 0.5], 'loss-averse': [1 + Math.LN2, 1 + Math.LN2], 'risk-seeking': [1 - Math.LN2, 1 - Math.LN2],
  'risk-seeking-1': [1 - Math.LN2, 1 + Math.LN2], 'risk-seeking-2': [1, 3],
} as const

for (const [utility, offset] of variants) {
  const options: DiffusionKtoOptions = { beta: 1, utility, offset }
  const [liked, other] = atZero[utility]
  testObjective(`diffusion-kto, ${utility}, from the offset ${offset}`, {
    objective: diffusionKto<Tensor>({ ...options, desirable: 1, undesirable: 1.3 }), networks: referred, batch: batchOf,
    // The λ of a sample stays with it.
    opposite: (batch) => ({
      objective: diffusionKto<Tensor>({ ...options, desirable: 1.3, undesirable: 1 }),
      batch: { ...batch, labels: batch.labels.neg().add(1) },
    }),
    start: (2 * liked + 1.3 * other) / 3,
    refused: [
      () => diffusionKto({ beta: 0 }), () => diffusionKto({ utility: 'sigmoid' as never }),
      () => diffusionKto({ offset: 'none' as never }), () => diffusionKto({ desirable: 0 }),
      () => diffusionKto({ undesirable: -1 }), () => diffusionKto({ lambda: 1 } as never),
    ],
  })
}

/** Six samples of a fixture that have no pairs: winners, then losers. @param networks the model, and the reference */
function measure(name: Case, options: DiffusionKtoOptions, networks: readonly [string, string] = ['net', 'ref']): Measured {
  const { numbers } = oracle(name)
  const leaves = new Leaves()
  const all = [6, 2, 4, 4]
  const both = (network: string): Tensor =>
    leaves.of([...numbers[`${network}_w`] ?? [], ...numbers[`${network}_l`] ?? []], all)
  const [own, frozen] = networks.map(both) as [Tensor, Tensor]
  const target = numbers['target'] ?? []
  const batch = {
    predictionType: 'epsilon' as const, condition: undefined, timesteps: leaves.of([1, 2, 3, 4, 5, 6], [6]),
    alpha: leaves.of([1], [1, 1, 1, 1]), sigma: leaves.of([0.5], [1, 1, 1, 1]),
    noise: leaves.of([...target, ...target], all), samples: leaves.of(Array<number>(192).fill(0), all),
    labels: leaves.of([1, 0, 1, 0, 0, 1], [6]),
  }
  const made = diffusionKto<undefined>(options).evaluate({ model: () => own, reference: () => frozen }, batch)
  const { grads: [grad = new Float64Array()], ...rest } = leaves.measure(made, [own])
  return { ...rest, grads: [grad.slice(0, 96), grad.slice(96)] }
}

test.each([
  ['kto_sigmoid_none', 'kahneman-tversky', 'batch'],
  ['kto_sigmoid_sigmoid', 'kahneman-tversky', 'balanced'],
  ['kto_loss_averse_none', 'loss-averse', 'batch'],
  ['kto_loss_averse_sigmoid', 'loss-averse', 'balanced'],
] as const)('loss and gradients are those of the released script: %s', (name, utility, offset) => {
  const { expected } = oracle(name)
  const got = measure(name, { beta: 60, utility, offset, undesirable: 1.3 })
  expectCase(got, expected)
  expect(got.metrics['accuracy']).toBeCloseTo(expected.acc ?? Number.NaN, 10)
  // The script adds 1e-6 to the counts it divides by.
  expect(Math.abs((got.metrics['offset'] ?? Number.NaN) - (expected.kl_offset ?? 0))).toBeLessThan(1e-9)
})

test.each(Object.entries(golden.cases))('losses from a reference point above 0 and slopes are torch\'s: %s', (utility, want) => {
  const got = measure('kto_sigmoid_none', { beta: 60, utility: utility as 'risk-seeking', undesirable: 1.3 }, ['ref', 'net'])
  expect(got.loss / want.loss).toBeCloseTo(1, 9)
  expect(want.offset).toBeGreaterThan(0)
  expect((got.metrics['offset'] ?? Number.NaN) / want.offset).toBeCloseTo(1, 9)
  const all = got.grads.flatMap((half) => [...half])
  for (const [i, slope] of want.slopes.entries()) {
    expect(all.slice(32 * i, 32 * i + 32).reduce((a, b) => a + b) / slope).toBeCloseTo(1, 8)
  }
})

test('mismatched samples are asked about with the condition before theirs', () => {
  const leaves = new Leaves()
  const column = (values: readonly number[]): Tensor => leaves.of(values, [3, 1])
  const condition = column([1, 2, 4])
  const batch = {
    predictionType: 'epsilon' as const, condition, timesteps: leaves.of([1, 2, 3], [3]), alpha: column([1, 1, 1]),
    sigma: column([1, 1, 1]), noise: column([0, 0, 0]), samples: column([0, 0, 0]), labels: leaves.of([1, 1, 0], [3]),
  }
  // Errors are squares of conditions and their sums with a sample's number.
  const of = (add: number) => (x: Tensor, _: Tensor, c: Tensor): Tensor => c.add(column([0, 1, 2])).add(x).add(add)
  const made = diffusionKto<Tensor>({ offset: 'mismatched' }).evaluate({ model: of(0), reference: of(1) }, batch)
  const { metrics } = leaves.measure(made, [])
  // Conditions 4, 1, 2 for samples that add 0, 1, 2: 16, 4, 16 and with one more 25, 9, 25.
  expect(metrics['offset']).toBeCloseTo((9 + 5 + 9) / 3, 12)
})
