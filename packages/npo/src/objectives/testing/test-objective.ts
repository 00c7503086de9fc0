import { ConfigError, gradients, ShapeError, Tensor, tensor } from '@antipode/core'
import { FakeHost, gradientGap, interpret } from '@antipode/core/testing'
import type { ModelPrediction } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import type { Denoiser } from '../../denoiser.ts'
import type { NoiseDraw } from '../../process/index.ts'
import {
  type ModelNetwork, negate, type PairBatch, type PreferenceObjective, type ReferredNetworks,
} from '../index.ts'

/** What batches of three samples or pairs are made from. */
export interface Material {
  readonly draw: NoiseDraw
  readonly condition: Tensor
  /** Other clean samples each time, `[3, 4]`. */
  readonly samples: () => Tensor
  /** One number for each of the three. */
  readonly each: (...values: readonly [number, number, number]) => Tensor
}

/** Small networks, `tanh(a·x + b·t/1000 + c)` with other a and b for each. */
export interface Toys {
  readonly trained: () => Denoiser<Tensor>
  readonly frozen: () => Denoiser<Tensor>
}

/** An objective, and what it is held to. */
export interface ObjectiveSubject<Batch extends NoiseDraw, Networks extends object> {
  /** With options under which the loss curves gently: errors are about 1 here. */
  readonly objective: PreferenceObjective<Batch, Networks>
  readonly networks: (toys: Toys) => Networks
  readonly batch: (material: Material) => Batch
  /** The opposite preference, by hand: an objective that is not negated on a batch that is reversed. */
  readonly opposite: (batch: Batch) => {
    readonly objective?: PreferenceObjective<Batch, Networks>
    readonly batch: Batch
  }
  /** The loss where all networks are one. */
  readonly start?: number
  /** Tensors of a batch that the objective does not read; none by default. */
  readonly unread?: readonly string[]
  /** Calls that are refused. */
  readonly refused: readonly (() => unknown)[]
}

/** Gradients are within 1e-9 of differences here; the bound is for losses that curve more. */
const gradientTolerance = 1e-6

const types: readonly ModelPrediction[] = ['epsilon', 'v_prediction', 'sample', 'flow_prediction']

/** A batch, networks and what their parameters are. */
class Bench {
  readonly material: Material
  readonly toys: Toys
  readonly trained: Tensor[] = []
  readonly frozen: Tensor[] = []
  readonly #host = new FakeHost()
  #next = 0

  /** @param alike whether all networks are one */
  constructor(type: ModelPrediction, { weighed = false, alike = false } = {}) {
    const flow = type === 'flow_prediction'
    const levels = [0.3, 0.7, 1.2].map((a) =>
      (flow ? { alpha: 1 - a / 2, sigma: a / 2 } : { alpha: Math.cos(a), sigma: Math.sin(a) }))
    const column = (of: (level: { alpha: number; sigma: number }) => number): Tensor =>
      this.#leaf([3, 1], levels.map(of))
    const each = (...values: readonly number[]): Tensor => this.#leaf([3], values)
    this.material = {
      draw: {
        predictionType: type, timesteps: each(100, 400, 900), alpha: column((l) => l.alpha), sigma: column((l) => l.sigma),
        noise: this.#leaf([3, 4]), ...(weighed ? { weights: each(0.5, 1.5, 0.25) } : {}),
      },
      condition: this.#leaf([3, 4]), samples: () => this.#leaf([3, 4]), each,
    }
    const toy = (kept: Tensor[]): Denoiser<Tensor> => {
      if (alike) this.#next = 100
      const [a, b] = [this.#leaf([4]), this.#leaf([4])]
      kept.push(a, b)
      return (x, t, c) => x.mul(a).add(t.div(1000).reshape([-1, 1]).mul(b)).add(c).tanh()
    }
    this.toys = { trained: () => toy(this.trained), frozen: () => toy(this.frozen) }
  }

  /** Numbers of about 1 that have no order. */
  #leaf(shape: readonly number[], values?: readonly number[]): Tensor {
    const seed = ++this.#next
    const length = shape.reduce((a, b) => a * b)
    const wave = (i: number): number => 1.2 * Math.sin(7 * seed + 3.7 * i * i + 1)
    return tensor(this.#host, values ?? Array.from({ length }, (_, i) => wave(i)), shape)
  }
}

/**
 * Holds an objective to what all must keep: gradients that are those of the loss, a negation that is the opposite
 * preference and undoes itself, frozen networks without gradients, numbers that are NaN where anything they come from
 * is, errors that name their kind.
 */
export function testObjective<Batch extends NoiseDraw, Networks extends object>(
  name: string, { objective, networks, batch: batchOf, opposite, start, unread = [], refused }: ObjectiveSubject<Batch, Networks>,
): void {
  const setting = (type: ModelPrediction, options?: { weighed?: boolean; alike?: boolean }) => {
    const bench = new Bench(type, options)
    return { bench, batch: batchOf(bench.material), nets: networks(bench.toys) }
  }
  /** Loss, metrics and gradients of an objective, all numbers. */
  const numbersOf = (o: PreferenceObjective<Batch, Networks>, swap = false): Float64Array[] => {
    const { bench, batch, nets } = setting('epsilon', { weighed: true })
    const { loss, metrics } = o.evaluate(nets, swap ? opposite(batch).batch : batch)
    return interpret([loss, ...Object.values(metrics), ...gradients(loss, bench.trained)])
  }

  describe(name, () => {
    test.each(types)('its gradient is that of its loss, for models of %s', (type) => {
      const { bench, batch, nets } = setting(type, { weighed: type !== 'epsilon' })
      const { loss } = objective.evaluate(nets, batch)
      const parameters = Object.fromEntries(bench.trained.map((t, i) => [`parameter ${i}`, t]))
      const gap = gradientGap(loss, parameters, { each: 1 })
      expect(gap.compared).toBe(bench.trained.length)
      expect(gap.relative, JSON.stringify(gap)).toBeLessThan(gradientTolerance)
      const flat = (tensors: readonly Tensor[]): number[] =>
        interpret(gradients(loss, tensors)).flatMap((g) => [...g])
      expect(flat(bench.trained).some((g) => g !== 0)).toBe(true)
      if (bench.frozen.length > 0) expect(flat(bench.frozen).every((g) => g === 0)).toBe(true)
    })

    test('negated it is itself on the opposite preference, and negated twice itself, to the bit', () => {
      const { objective: other = objective } = opposite(setting('epsilon').batch)
      expect(numbersOf(negate(objective))).toEqual(numbersOf(other, true))
      expect(numbersOf(negate(negate(objective)))).toEqual(numbersOf(objective))
      expect(numbersOf(negate(objective))).not.toEqual(numbersOf(objective))
      expect([negate(objective), negate(negate(objective))].map((o) => o.name))
        .toEqual([`negated ${objective.name}`, objective.name])
    })

    test('metrics are single numbers, and weights of 1 are no weights', () => {
      const { bench, batch, nets } = setting('epsilon')
      const made = (given: Batch): Float64Array[] => {
        const { loss, metrics } = objective.evaluate(nets, given)
        return interpret([loss, ...Object.values(metrics)])
      }
      const plain = made(batch)
      for (const numbers of plain) {
        expect(numbers).toHaveLength(1)
        expect(Number.isFinite(numbers[0])).toBe(true)
      }
      expect(made({ ...batch, weights: bench.material.each(1, 1, 1) })).toEqual(plain)
    })

    if (start !== undefined) test('it starts where its formula says', () => {
      for (const type of types) {
        const { batch, nets } = setting(type, { alike: true })
        const [loss] = interpret([objective.evaluate(nets, batch).loss])
        expect(loss?.[0]).toBeCloseTo(start, 12)
      }
    })

    test('what is not a number makes a loss that is none', () => {
      const { bench, batch, nets } = setting('epsilon', { weighed: true })
      const { loss } = objective.evaluate(nets, batch)
      const inputs = Object.entries(batch).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor)
      const parameters = [...bench.trained, ...bench.frozen].map((t, i): [string, Tensor] => [`parameter ${i}`, t])
      for (const [key, t] of [...inputs, ...parameters]) {
        if (unread.includes(key)) continue
        const values = [...interpret([t])[0] ?? []]
        const [value] = interpret([loss], new Map([[t, [Number.NaN, ...values.slice(1)]]]))
        expect(value?.[0], key).toBeNaN()
      }
    })

    test('options out of range, predictions of another shape and numbers of other counts are refused', () => {
      for (const call of refused) expect(call).toThrow(ConfigError)
      const { bench, batch } = setting('epsilon', { weighed: true })
      const narrow = (denoise: Denoiser<Tensor>): Denoiser<Tensor> => (x, t, c) => denoise(x, t, c).slice(1, 0, 1)
      const toys: Toys = { trained: () => narrow(bench.toys.trained()), frozen: () => narrow(bench.toys.frozen()) }
      expect(() => objective.evaluate(networks(toys), batch)).toThrow(ShapeError)
      const good = networks(bench.toys)
      for (const [key, t] of Object.entries(batch)) {
        // Levels may broadcast, and what a network is told is the network's matter.
        const others = ['alpha', 'sigma', 'timesteps', 'condition', ...unread]
        if (!(t instanceof Tensor) || others.includes(key)) continue
        for (const wrong of [t.slice(0, 0, 1), t.rank > 1 ? t.slice(1, 0, 1) : t.reshape([3, 1])]) {
          expect(() => objective.evaluate(good, { ...batch, [key]: wrong }), `${key} [${wrong.shape.join()}]`)
            .toThrow(ShapeError)
        }
      }
    })
  })
}

/** Pairs of the material. */
export function pairsFrom({ draw, condition, samples }: Material): PairBatch<Tensor> {
  return { ...draw, condition, chosen: samples(), rejected: samples() }
}

/** Pairs whose samples changed places, by hand. */
export function exchanged<Batch extends PairBatch<Tensor>>(batch: Batch): { batch: Batch } {
  return { batch: { ...batch, chosen: batch.rejected, rejected: batch.chosen } }
}

/** A model and its reference. */
export function referred({ trained, frozen }: Toys): ReferredNetworks<Tensor> {
  return { model: trained(), reference: frozen() }
}

/** A model alone. */
export function alone({ trained }: Toys): ModelNetwork<Tensor> {
  return { model: trained() }
}
