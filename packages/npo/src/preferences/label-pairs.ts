import { ShapeError } from '@antipode/core'
import { checkOptions, positive, required, whole } from '@antipode/core/options'
import { type Rng, rng } from '@antipode/core/random'

/**
 * A reward of samples with one condition each: N numbers for samples `[N, ...]` and conditions `[N]`; more is better.
 */
export type SampleReward = (samples: Float32Array, conditions: ArrayLike<number>) => ArrayLike<number>

/** Pairs of samples of one condition, the chosen one first. */
export interface LabelledPairs {
  /** `[N, ...]` */
  readonly chosen: Float32Array
  readonly rejected: Float32Array
  /** `[N]`, the condition of both. */
  readonly labels: Float32Array
  /** Mean absolute difference of rewards. */
  readonly meanGap: number
}

/** Options of {@link labelPairs}. */
export interface LabelPairsOptions {
  /** Of the preference, in units of the reward, above 0: near 0 the better sample always wins. */
  readonly temperature: number
  /** Whole, in [0, 2⁵³). */
  readonly seed: number
}

/**
 * Labels pairs as people would: the sample with reward R₁ is preferred over that with R₂ with probability
 * σ((R₁ − R₂)/temperature) (Bradley & Terry 1952).
 * @param samples `[2N, ...]`, of which 2i and 2i + 1 are pair i
 * @param labels `[2N]`, the condition of each sample, the same for both of a pair
 * @throws {ShapeError} unless there is an even number of labels, and as many samples
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function labelPairs(
  samples: Float32Array, labels: Int32Array, reward: SampleReward, options: LabelPairsOptions,
): LabelledPairs {
  checkOptions('labelPairs', options, { temperature: required(positive), seed: required(whole(0)) })
  if (labels.length === 0 || labels.length % 2 !== 0 || samples.length % labels.length !== 0) {
    const got = `${labels.length} labels and ${samples.length} numbers`
    throw new ShapeError(
      `labelPairs: expected samples and labels of pairs, got ${got}; pass both of each pair, one after the other`,
    )
  }
  const { temperature, seed } = options
  const scores = reward(samples, labels)
  const count = labels.length / 2
  const size = samples.length / labels.length
  const random = rng(seed, { stream: 2 ** 31 })
  const chosen = new Float32Array(count * size)
  const rejected = new Float32Array(count * size)
  let gaps = 0
  for (let i = 0; i < count; i++) {
    const gap = scores[2 * i]! - scores[2 * i + 1]!
    gaps += Math.abs(gap)
    const [winner, loser] = prefersFirst(gap, temperature, random) ? [2 * i, 2 * i + 1] : [2 * i + 1, 2 * i]
    chosen.set(samples.subarray(winner * size, (winner + 1) * size), i * size)
    rejected.set(samples.subarray(loser * size, (loser + 1) * size), i * size)
  }
  const ofPairs = Float32Array.from({ length: count }, (_, i) => labels[2 * i]!)
  return { chosen, rejected, labels: ofPairs, meanGap: gaps / count }
}

/** Whether the first of two samples is preferred, at random, given by how much its reward is above the second's. */
export function prefersFirst(gap: number, temperature: number, random: Rng): boolean {
  return random.uniform() < 1 / (1 + Math.exp(-gap / temperature))
}
