import { rng } from '@antipode/core/random'
import type { DigitScore } from '@antipode/models/digits'

/** Pairs of images of one class, the preferred one first. */
export interface LabelledPairs {
  /** `[N, 1, side, side]` */
  readonly preferred: Float32Array
  readonly other: Float32Array
  /** `[N]`, the digit both were asked to be. */
  readonly labels: Float32Array
  /** Mean absolute difference of rewards. */
  readonly meanGap: number
}

/**
 * Labels pairs as people would: the image with reward R₁ is preferred over R₂ with probability σ((R₁ − R₂)/temperature)
 * (Bradley & Terry 1952). Image 2i and 2i + 1 are pair i and share a class.
 */
export function labelPairs(images: Float32Array, labels: Int32Array, reward: DigitScore, { temperature, seed }: { readonly temperature: number; readonly seed: number }): LabelledPairs {
  const scores = reward(images, labels)
  const count = labels.length / 2
  const pixels = images.length / labels.length
  const random = rng(seed, { stream: 2 ** 31 })
  const preferred = new Float32Array(count * pixels)
  const other = new Float32Array(count * pixels)
  let gaps = 0
  for (let i = 0; i < count; i++) {
    const gap = (scores[2 * i] ?? 0) - (scores[2 * i + 1] ?? 0)
    gaps += Math.abs(gap)
    const firstWins = random.uniform() < 1 / (1 + Math.exp(-gap / temperature))
    const [winner, loser] = firstWins ? [2 * i, 2 * i + 1] : [2 * i + 1, 2 * i]
    preferred.set(images.subarray(winner * pixels, (winner + 1) * pixels), i * pixels)
    other.set(images.subarray(loser * pixels, (loser + 1) * pixels), i * pixels)
  }
  return { preferred, other, labels: Float32Array.from({ length: count }, (_, i) => labels[2 * i] ?? 0), meanGap: gaps / count }
}
