import { sizeOf } from '@antipode/kernels-wgsl'
import { ConfigError } from '../../errors.ts'
import { conv2d, linear } from '../../functional/index.ts'
import type { Tensor } from '../../graph/index.ts'
import { checkOptions, finite, required, whole } from '../../options/index.ts'
import { randomParameters } from '../initialiser.ts'
import { targetRange } from './targets.ts'
import type { AdapterMaker, DeltaKind, WeightDelta, Weighted, WeightProduct } from './weight-delta.ts'

/** A low-rank change of a weight: Δ = (alpha / rank)·B·A, with A `[rank, in, ...]` and B `[out, rank, 1, ...]`. */
export class LowRank implements WeightDelta {
  readonly a: Tensor
  readonly b: Tensor
  /** Kept instead of the quotient, so that a file gives back the very number that was trained with. */
  readonly alpha: number

  /** @param alpha the rank by default, for strength 1 */
  constructor(a: Tensor, b: Tensor, alpha?: number) {
    this.a = a
    this.b = b
    this.alpha = alpha ?? this.rank
  }

  get rank(): number {
    return this.a.shape[0] ?? 1
  }

  get parameters(): ReadonlyMap<string, Tensor> {
    return new Map([['lora_A.weight', this.a], ['lora_B.weight', this.b]])
  }

  delta({ weightShape }: Weighted, w: number): Tensor {
    const { a, b, rank } = this
    const product = b.to('f32').reshape([-1, rank]).matmul(a.to('f32').reshape([rank, a.size / rank]))
    return product.reshape(weightShape).mul(this.#factor(w))
  }

  /** A sees x as the layer does, B mixes its `rank` channels at each position. */
  apply(layer: WeightProduct, x: Tensor, w: number): Tensor {
    const h = layer.product(x, this.a.to(x.dtype)).mul(this.#factor(w))
    const b = this.b.to(x.dtype)
    return b.rank === 2 ? linear(h, b) : conv2d(h, b)
  }

  /** Of A, B and their gradients, in products of `rank` rows. */
  cost({ device, weightShape }: WeightProduct): number {
    const [out = 1] = weightShape
    return device.target.tuning.thinProducts * 3 * this.rank * (out + sizeOf(weightShape) / out)
  }

  #factor(w: number): number {
    return w * (this.alpha / this.rank)
  }
}

/** Shapes of A and B at a rank. @throws {ConfigError} if the layer has groups: each would need an A of its own */
function shapesOf(
  { weightShape, groups = 1 }: Weighted & Partial<WeightProduct>,
  rank: number,
): [a: number[], b: number[]] {
  if (groups > 1) {
    throw new ConfigError(`lora: expected a layer of one group, got ${groups}; leave it out of the targets`)
  }
  const [out = 0, ...field] = weightShape
  return [[rank, ...field], [out, rank, ...field.slice(1).map(() => 1)]]
}

/** Tensors with PEFT's names: `<layer>.lora_A.weight` and `<layer>.lora_B.weight`. */
export const lowRankKind: DeltaKind = {
  names: ['lora_A.weight', 'lora_B.weight'],
  ofProducts: true,
  shapes: (layer, [a, b]) => shapesOf(layer, Math.max(1, a?.[0] ?? b?.[1] ?? 1)),
  of: ([a, b], alpha) => new LowRank(a as Tensor, b as Tensor, alpha),
}

/** Options of {@link lora}. */
export interface LoraOptions {
  /** Whole, 1 or more. */
  readonly rank: number
  /** Strength at weight 1 is alpha / rank; any finite number, the rank by default. */
  readonly alpha?: number
  /** Which linear and convolution layers get a pair, by their names in the model. */
  readonly targets: AdapterMaker['targets']
  /** Seed of A, whole in [0, 2^53); default 0. */
  readonly seed?: number
}

/**
 * A low-rank pair for each layer that matches: A is normal with deviation 1/rank, B is zero, so nothing changes until
 * it is trained. Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021, section 4.1.
 * @throws {ConfigError} if an option is unknown or out of its range
 */
export function lora(options: LoraOptions): AdapterMaker {
  checkOptions('lora', options, {
    rank: required(whole(1)), alpha: finite, targets: required(targetRange), seed: whole(0),
  })
  const { rank, alpha, targets, seed = 0 } = options
  return {
    targets,
    begin(device) {
      const init = randomParameters(device, { seed })
      return (layer) => {
        const [a, b] = shapesOf(layer, rank)
        return new LowRank(init.normal(a, 1 / rank), init.filled(b, 0), alpha)
      }
    },
  }
}
