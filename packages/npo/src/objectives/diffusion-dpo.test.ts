import { largestGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { minSnr } from '../process/index.ts'
import { diffusionDpo, negate } from './index.ts'
import { Leaves, measurePairs, type Numbers, oracle, shape, sizeOfEach } from './testing/oracle.ts'

const alphaBars = [0.91713793, 0.36054322, 0.03654652]
const objective = diffusionDpo<undefined>({ beta: 1000 })

test.each(['dpo_sf', 'dpo_sf_v', 'dpo_min_snr', 'dpo_min_snr_v', 'npo_sf', 'npo_sf_v'] as const)('loss, metrics and gradients are those of the released script: %s', (name) => {
  const { numbers, expected } = oracle(name)
  const swapped = name.startsWith('npo')
  const weight = name.includes('min_snr') ? { weight: minSnr() } : {}
  // A negated objective prefers the rejected half, so the model is asked for that first.
  const got = measurePairs(swapped ? negate(objective) : objective, numbers, { alphaBars: numbers['alphas_cumprod'] ?? alphaBars, swapped, ...weight })
  expect(Math.abs(got.loss / expected.loss - 1)).toBeLessThan(1e-8)
  const { implicit_acc_tie_half: accuracy, raw_model_loss: error, raw_ref_loss: referenceError } = expected
  if (error !== undefined) {
    expect(got.metrics['accuracy']).toBeCloseTo(accuracy ?? Number.NaN, 10)
    expect(got.metrics['error']).toBeCloseTo(error, 10)
    expect(got.metrics['referenceError']).toBeCloseTo(referenceError ?? Number.NaN, 10)
  }
  for (const [i, half] of ['net_w', 'net_l'].entries()) {
    const want = Float64Array.from(expected.grads[half] ?? [])
    expect(largestGap(want, got.grads[i] ?? []) / Math.max(...want.map(Math.abs)), half).toBeLessThan(1e-8)
  }
})

test('a flow is held to ε − x₀ at x = (1 − σ)·x₀ + σ·ε', () => {
  const leaves = new Leaves()
  const { numbers } = oracle('dpo_sf_v')
  const at = (name: string): readonly number[] => numbers[name] ?? []
  const sigmas = [0.1, 0.5, 0.96]
  const column = (values: readonly number[]) => leaves.of(values, [3, 1, 1, 1])
  const batch = {
    predictionType: 'flow_prediction' as const, condition: undefined, timesteps: leaves.of(sigmas.map((s) => 1000 * s), [3]),
    alpha: column(sigmas.map((s) => 1 - s)), sigma: column(sigmas), noise: leaves.of(at('noise'), shape),
    chosen: leaves.of(at('x0_w'), shape), rejected: leaves.of(at('x0_l'), shape),
  }
  const seen: number[][] = []
  const network = (values: readonly number[]) => {
    const out = leaves.of(values, [6, 2, 4, 4])
    return (x: typeof out) => { seen.push([...leaves.read(x)]); return out }
  }
  const [model, reference] = ['net', 'ref'].map((name) => network([...at(`${name}_w`), ...at(`${name}_l`)])) as [ReturnType<typeof network>, ReturnType<typeof network>]
  const { loss } = leaves.measure(objective.evaluate({ model, reference }, batch), [])
  // From the formulas, with nothing of this library.
  const m = (values: Numbers, network: string, half: string, b: number): number => {
    let sum = 0
    for (let i = b * sizeOfEach; i < (b + 1) * sizeOfEach; i++) sum += (at(`${network}_${half}`)[i]! - (values['noise']![i]! - values[`x0_${half}`]![i]!)) ** 2
    return sum / sizeOfEach
  }
  const z = [0, 1, 2].map((b) => -500 * (m(numbers, 'net', 'w', b) - m(numbers, 'net', 'l', b) - (m(numbers, 'ref', 'w', b) - m(numbers, 'ref', 'l', b))))
  expect(loss).toBeCloseTo(z.reduce((sum, v) => sum + Math.max(0, -v) + Math.log1p(Math.exp(-Math.abs(v))), 0) / 3, 8)
  const noised = ['x0_w', 'x0_l'].flatMap((half) => at(half).map((x, i) => (1 - sigmas[Math.floor(i / sizeOfEach)]!) * x + sigmas[Math.floor(i / sizeOfEach)]! * at('noise')[i]!))
  for (const x of seen) expect(largestGap(Float64Array.from(noised), x)).toBeLessThan(1e-12)
  expect(seen).toHaveLength(2)
})
