import { ShapeError, Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import type { ModelPrediction } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import type { Denoiser } from '../../denoiser.ts'
import type { NoiseDraw } from '../../process/index.ts'
import type { ModelNetwork, PairBatch, ReferredNetworks } from '../index.ts'
import { type Setting, type Subject, testInvariants, type Variation } from './invariants.ts'

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

/** An objective on noised samples, and what it is held to. */
export interface ObjectiveSubject<Batch extends NoiseDraw, Networks extends object>
  extends Pick<Subject<string, Batch, Networks>, 'objective' | 'opposite' | 'start' | 'refused'> {
  readonly networks: (toys: Toys) => Networks
  readonly batch: (material: Material) => Batch
  /** Tensors of a batch that the objective does not read; none by default. */
  readonly unread?: readonly string[]
}

const types = ['epsilon', 'v_prediction', 'sample', 'flow_prediction'] as const satisfies readonly ModelPrediction[]

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
 * Holds an objective on noised samples to what all must keep ({@link testInvariants}), for models of all kinds; errors
 * are about 1. Weights of 1 are no weights, and samples, noise and numbers of other counts are refused.
 */
export function testObjective<Batch extends NoiseDraw, Networks extends object>(
  name: string, { objective, networks, batch: batchOf, unread = [], ...rest }: ObjectiveSubject<Batch, Networks>,
): void {
  const settingOf = (
    type: ModelPrediction, { weighed, alike = false, narrow = false }: Variation & { readonly weighed: boolean },
  ): Setting<Batch, Networks> & { readonly bench: Bench } => {
    const bench = new Bench(type, { weighed, alike })
    const batch = batchOf(bench.material)
    const cut = (denoise: Denoiser<Tensor>): Denoiser<Tensor> => (x, t, c) => denoise(x, t, c).slice(1, 0, 1)
    const { trained, frozen } = bench.toys
    const toys = narrow ? { trained: () => cut(trained()), frozen: () => cut(frozen()) } : bench.toys
    return { bench, batch, networks: networks(toys), trained: bench.trained, frozen: bench.frozen }
  }
  const tensorsOf = (batch: Batch): [string, Tensor][] => Object.entries(batch)
    .filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor && !unread.includes(entry[0]))

  describe(name, () => {
    testInvariants({
      ...rest, objective, kinds: types, read: tensorsOf,
      setting: (type, variation) => settingOf(type, { weighed: type !== 'epsilon' && !variation?.alike, ...variation }),
    })

    test('weights of 1 are no weights', () => {
      const { bench, batch, networks: nets } = settingOf('epsilon', { weighed: false })
      const made = (given: Batch): Float64Array[] => {
        const { loss, metrics } = objective.evaluate(nets, given)
        return interpret([loss, ...Object.values(metrics)])
      }
      expect(made({ ...batch, weights: bench.material.each(1, 1, 1) })).toEqual(made(batch))
    })

    test('samples of another shape and numbers of other counts are refused', () => {
      const { batch, networks: nets } = settingOf('epsilon', { weighed: true })
      for (const [key, t] of tensorsOf(batch)) {
        // Levels may broadcast, and what a network is told is the network's matter.
        if (['alpha', 'sigma', 'timesteps', 'condition'].includes(key)) continue
        for (const wrong of [t.slice(0, 0, 1), t.rank > 1 ? t.slice(1, 0, 1) : t.reshape([3, 1])]) {
          expect(() => objective.evaluate(nets, { ...batch, [key]: wrong }), `${key} [${wrong.shape.join()}]`)
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
