import { ShapeError, type Tensor } from '@antipode/core'
import type { PredictionType } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { type LossWeight, minSnr } from '../process/index.ts'
import { denoising, fineTuning } from './index.ts'
import {
  alphaBars, expectCase, Leaves, type Measured, type Numbers, oracle, pairsOf, says, shape,
} from './testing/oracle.ts'

test.each<[PredictionType | 'flow_prediction', (b: number, noise: number, clean: number) => number]>([
  ['epsilon', (_b, noise) => noise],
  ['v_prediction', (b, noise, clean) => [0.5, 0.25][b]! * noise - [2, 4][b]! * clean],
  ['sample', (_b, _noise, clean) => clean],
  ['flow_prediction', (_b, noise, clean) => noise - clean],
])('the loss of a model of %s is the mean squared error of that, and so is its slope', (predictionType, targetOf) => {
  const leaves = new Leaves()
  const of = (...values: number[]): Tensor => leaves.of(values, [2, 2])
  const [noise, samples, prediction] = [of(1, -2, 3, 0.5), of(4, 3, 2, 1), of(0, -1, 2, 2.5)]
  const batch = {
    predictionType, noise, samples, condition: undefined, timesteps: leaves.of([1, 2], [2]),
    alpha: leaves.of([0.5, 0.25], [2, 1]), sigma: leaves.of([2, 4], [2, 1]),
  }
  let seen: Tensor | undefined
  const model = (x: Tensor): Tensor => {
    seen = x
    return prediction
  }
  const { loss, metrics, grads } = leaves.measure(denoising<undefined>().evaluate({ model }, batch), [prediction])
  const errors = [0, -1, 2, 2.5].map((p, i) => p - targetOf(i >> 1, [1, -2, 3, 0.5][i]!, [4, 3, 2, 1][i]!))
  const want = errors.reduce((sum, e) => sum + e * e, 0) / 4
  expect([loss, metrics['error']]).toEqual([want, want])
  expect([...grads[0] ?? []]).toEqual(errors.map((e) => e / 2))
  expect([...leaves.read(seen as Tensor)]).toEqual([4, -2.5, 12.5, 2.25])
  const wide = { ...batch, samples: leaves.of([1, 2], [2, 1]) }
  expect(() => denoising<undefined>().evaluate({ model }, wide)).toThrow(ShapeError)
  const narrow = (x: Tensor): Tensor => x.slice(1, 0, 1)
  expect(() => denoising<undefined>().evaluate({ model: narrow }, batch)).toThrow(/predictions of the samples' shape/)
  const none = { samples: leaves.of([], [0, 2]), noise: leaves.of([], [0, 2]) }
  expect(() => denoising<undefined>().evaluate({ model }, { ...batch, ...none })).toThrow(ShapeError)
})

const cases = ['sft', 'sft_min_snr', 'sft_min_snr_v'] as const
test.each(cases)('fine-tuning has the loss and slopes of its formula: %s', (name) => {
  const { numbers, expected } = oracle(name)
  const weight = name === 'sft' ? {} : { weight: minSnr() }
  // Of pairs it is the loss on chosen samples.
  expectCase(measureChosen(numbers, weight), expected, ['net_w'])
})

function measureChosen(numbers: Numbers, { weight }: { weight?: LossWeight }): Measured {
  const leaves = new Leaves()
  const { chosen, ...batch } = pairsOf(leaves, numbers, numbers['alphas_cumprod'] ?? alphaBars, weight)
  const own = leaves.of(numbers['net_w'] ?? [], shape)
  const pairs = { ...batch, chosen }
  const plain = leaves.measure(denoising<undefined>().evaluate({ model: says(own) }, { ...batch, samples: chosen }), [own])
  expect(leaves.measure(fineTuning<undefined>().evaluate({ model: says(own) }, pairs), [own])).toEqual(plain)
  return plain
}
