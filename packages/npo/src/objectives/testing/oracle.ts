import { gradients, type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret, largestGap } from '@antipode/core/testing'
import type { ModelPrediction, NoiseLevel } from '@antipode/schedulers'
import { expect } from 'vitest'
import type { Denoiser } from '../../denoiser.ts'
import type { LossWeight } from '../../process/index.ts'
import type { LossAndMetrics, PairBatch, PreferenceObjective, ReferredNetworks } from '../index.ts'
import golden from './objectives.golden.json' with { type: 'json' }

/** Numbers by name, and for a case what is expected of it. */
export type Numbers = Readonly<Record<string, readonly number[]>>

/** What a case of the golden file expects of a loss on predictions that are given. */
export interface Expected {
  readonly loss: number
  readonly grads: Numbers
  /** Accuracy, with ties as ½. */
  readonly implicit_acc_tie_half?: number
  readonly raw_model_loss?: number
  readonly raw_ref_loss?: number
  readonly per_example?: readonly number[]
  readonly kl_offset?: number
  readonly acc?: number
}

/** The name of a case. */
export type Case = keyof typeof golden.cases

export const shape: readonly number[] = [3, 2, 4, 4]
export const sizeOfEach = 32
/** Levels of the fixtures that have none of their own. */
export const alphaBars: readonly number[] = [0.91713793, 0.36054322, 0.03654652]

/** The fixture of a case, and what is expected. */
export function oracle(name: Case): { readonly numbers: Numbers; readonly expected: Expected } {
  const { fixture, out } = golden.cases[name]
  const own = golden.fixtures[fixture as keyof typeof golden.fixtures] as Numbers
  // Correlated losers differ from others by their own predictions alone.
  const numbers = fixture === 'pair_corr' ? { ...golden.fixtures.pair_eps, ...own } : own
  return { numbers, expected: out as unknown as Expected }
}

/** What a loss and its gradients come to. */
export interface Measured {
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
  readonly grads: readonly Float64Array[]
}

/** Tensors that stand for numbers in float64. */
export class Leaves {
  readonly values: Map<Tensor, readonly number[]> = new Map()
  readonly #host = new FakeHost()

  of(values: readonly number[], shape: readonly number[]): Tensor {
    const t = tensor(this.#host, values, shape)
    this.values.set(t, values)
    return t
  }

  /** What a tensor made of them is, in float64. */
  read(t: Tensor): Float64Array {
    return interpret([t], this.values)[0] ?? new Float64Array()
  }

  /** Loss, metrics and the loss's gradients, in float64. */
  measure({ loss, metrics }: LossAndMetrics, inputs: readonly Tensor[]): Measured {
    const names = Object.keys(metrics)
    const [value, ...rest] = interpret([loss, ...Object.values(metrics), ...gradients(loss, inputs)], this.values)
    return {
      loss: value?.[0] ?? Number.NaN,
      metrics: Object.fromEntries(names.map((name, i) => [name, rest[i]?.[0] ?? Number.NaN])),
      grads: rest.slice(names.length),
    }
  }
}

/** Three pairs of a fixture, whose noise levels a weight may ask for. */
export function pairsOf(
  leaves: Leaves, numbers: Numbers, levelsOf: readonly number[], weight?: LossWeight,
): PairBatch<undefined> {
  const predictionType: ModelPrediction = 'x0_w' in numbers ? 'v_prediction' : 'epsilon'
  const levels: NoiseLevel[] = levelsOf.map((a) => ({ signal: Math.sqrt(a), noise: Math.sqrt(1 - a) }))
  const zeros = Array<number>(3 * sizeOfEach).fill(0)
  const column = (values: readonly number[]): Tensor => leaves.of(values, [3, 1, 1, 1])
  return {
    predictionType, condition: undefined, timesteps: leaves.of(numbers['timesteps'] ?? [1, 2, 3], [3]),
    alpha: column(levels.map((l) => l.signal)), sigma: column(levels.map((l) => l.noise)),
    noise: leaves.of(numbers['noise'] ?? numbers['target'] ?? [], shape),
    chosen: leaves.of(numbers['x0_w'] ?? zeros, shape), rejected: leaves.of(numbers['x0_l'] ?? zeros, shape),
    ...(weight ? { weights: leaves.of(levels.map((l) => weight(l, predictionType)), [3]) } : {}),
  }
}

/** How a fixture's predictions are read. */
export interface PairOptions<Extra extends object> {
  /** ᾱ of each pair; the fixture's own where it has some. */
  readonly alphaBars?: readonly number[]
  readonly weight?: LossWeight
  /** Whether the model is asked for the rejected half first, as negated objectives ask. */
  readonly swapped?: boolean
  /** What a batch has beside pairs. */
  readonly extra?: (leaves: Leaves) => Extra
}

/**
 * What an objective on pairs makes of a fixture's predictions; gradients by the chosen and the rejected half of the
 * model's.
 */
export function measurePairs<Extra extends object = object>(
  objective: PreferenceObjective<PairBatch<undefined> & Extra, ReferredNetworks<undefined>>,
  numbers: Numbers,
  { alphaBars: levels = numbers['alphas_cumprod'] ?? alphaBars, weight, swapped, extra }: PairOptions<Extra> = {},
): Measured {
  const leaves = new Leaves()
  // Objectives without such numbers have none to give.
  const batch = { ...pairsOf(leaves, numbers, levels, weight), ...(extra?.(leaves) ?? {} as Extra) }
  const order = swapped ? ['l', 'w'] : ['w', 'l']
  const both = (network: string): Tensor =>
    leaves.of(order.flatMap((half) => numbers[`${network}_${half}`] ?? []), [6, ...shape.slice(1)])
  const [own, frozen] = [both('net'), both('ref')]
  // Some objectives ask for the first half alone.
  const asked = (predictions: Tensor) => (x: Tensor): Tensor => predictions.slice(0, 0, x.shape[0] ?? 0)
  const made = objective.evaluate({ model: asked(own), reference: asked(frozen) }, batch)
  const { grads: [grad = new Float64Array()], ...rest } = leaves.measure(made, [own])
  const [first, second] = [grad.slice(0, grad.length / 2), grad.slice(grad.length / 2)]
  return { ...rest, grads: swapped ? [second, first] : [first, second] }
}

/** Expects a case's loss and gradients, by `net_w` and `net_l` or by the names given. */
export function expectCase(got: Measured, expected: Expected, names: readonly string[] = ['net_w', 'net_l']): void {
  expect(Math.abs(got.loss / expected.loss - 1)).toBeLessThan(1e-8)
  for (const [i, name] of names.entries()) {
    const want = Float64Array.from(expected.grads[name] ?? [])
    const size = Math.max(...want.map(Math.abs))
    expect(largestGap(want, got.grads[i] ?? []), name).toBeLessThanOrEqual(1e-8 * size)
  }
}

/** A denoiser that says what is given, whatever it is asked. */
export function says(prediction: Tensor): Denoiser<undefined> {
  return () => prediction
}
