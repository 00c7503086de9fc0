import type { Tensor } from '@antipode/core'
import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { dspo } from './index.ts'
import { expectCase, measurePairs, oracle } from './testing/oracle.ts'
import { exchanged, pairsFrom, referred, testObjective } from './testing/test-objective.ts'

testObjective('dspo', {
  objective: dspo<Tensor>({ beta: 0.5 }), networks: referred, batch: pairsFrom, opposite: exchanged,
  refused: [
    () => dspo({ beta: 0 }), () => dspo({} as never), () => dspo({ beta: 1, form: 'sd3' as never }),
    () => dspo({ beta: 1, threshold: 1 } as never),
  ],
})
testObjective('dspo, the form of SDXL', {
  objective: dspo<Tensor>({ beta: 0.5, form: 'sdxl' }), networks: referred, batch: pairsFrom, opposite: exchanged,
  refused: [],
})

test.each([
  ['dspo_sd15', 4, 'sd15'], ['dspo_sd15_launcher', 1e-3, 'sd15'], ['dspo_sdxl', 1000, 'sdxl'],
] as const)('loss and gradients are those of the released script: %s', (name, beta, form) => {
  const { numbers, expected } = oracle(name)
  expectCase(measurePairs(dspo({ beta, form }), numbers), expected)
})

const { numbers } = oracle('dspo_sd15')
const { ref_w = [], ref_l = [] } = numbers

test('where the model is its reference it is fine-tuning on the chosen samples, and in the form of SDXL ¼', () => {
  const alike = { ...numbers, net_w: ref_w, net_l: ref_l }
  const got = measurePairs(dspo({ beta: 1e-3 }), alike)
  const errors = Float64Array.from(ref_w, (v, i) => v - (numbers['target']?.[i] ?? Number.NaN))
  expect(got.loss).toBeCloseTo(errors.reduce((sum, e) => sum + e * e, 0) / 96, 14)
  // The change takes its share β·½ of the slope.
  const slopes = errors.map((e) => e * (1 - 1e-3 / 2) * 2 / 96)
  expect(largestGap(slopes, got.grads[0] ?? new Float64Array())).toBeLessThan(1e-14)
  expect(measurePairs(dspo({ beta: 1000, form: 'sdxl' }), alike).loss).toBe(0.25)
})

test('in the form of SDXL changes weigh pairs from a mean square of 0.1 on', () => {
  const far = { ...numbers, net_w: ref_w.map((v) => v + 0.5), net_l: ref_l }
  const near = { ...numbers, net_w: ref_w.map((v) => v + 0.3), net_l: ref_l }
  const lossOf = (given: typeof numbers, beta: number): number => measurePairs(dspo({ beta, form: 'sdxl' }), given).loss
  // With a β near 0, σ is ½.
  expect(lossOf(far, 1e-9)).toBeCloseTo(0.25 * 0.25, 8)
  expect(lossOf(near, 1e-9)).toBeCloseTo(0.25, 8)
})
