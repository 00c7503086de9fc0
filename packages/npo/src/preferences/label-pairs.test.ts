import { describe, expect, test } from 'vitest'
import { labelPairs, type SampleReward } from './label-pairs.ts'

const pixels = 4

/** Images whose pixels all are their number, rewarded as `rewards` says. */
function setting(rewards: readonly number[]): { images: Float32Array; labels: Int32Array; reward: SampleReward } {
  return {
    images: Float32Array.from({ length: rewards.length * pixels }, (_, i) => Math.floor(i / pixels)),
    labels: Int32Array.from(rewards, (_, i) => Math.floor(i / 2) % 10),
    reward: () => Float32Array.from(rewards),
  }
}

/** Numbers of the images that stand first. */
function winners(rewards: readonly number[], temperature: number, seed = 1): number[] {
  const { images, labels, reward } = setting(rewards)
  const { chosen } = labelPairs(images, labels, reward, { temperature, seed })
  return Array.from({ length: rewards.length / 2 }, (_, i) => chosen[i * pixels] ?? Number.NaN)
}

describe('labelPairs', () => {
  test.each([-3, -1, 0, 1, 3])('prefers the first image of a pair with probability σ(gap/temperature), at %d', (ratio) => {
    const count = 8000
    const rewards = Array.from({ length: 2 * count }, (_, i) => 0.5 + (i % 2 === 0 ? 0.02 * ratio : 0))
    const share = winners(rewards, 0.02).filter((image) => image % 2 === 0).length / count
    const p = 1 / (1 + Math.exp(-ratio))
    // Four standard errors of a share of 8,000; rewards in f32 move p by some 1e-6.
    expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt(p * (1 - p) / count))
  })

  test('puts the winner first and the loser second, whole and with their class', () => {
    const rewards = [0.1, 0.9, 0.7, 0.2, 0.3, 0.4]
    const { images, labels, reward } = setting(rewards)
    const pairs = labelPairs(images, labels, reward, { temperature: 1e-6, seed: 3 })
    expect(Array.from(pairs.chosen)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 5, 5, 5, 5])
    expect(Array.from(pairs.rejected)).toEqual([0, 0, 0, 0, 3, 3, 3, 3, 4, 4, 4, 4])
    expect(Array.from(pairs.labels)).toEqual([0, 1, 2])
    expect(pairs.meanGap).toBeCloseTo((0.8 + 0.5 + 0.1) / 3, 6)
  })

  test('draws the same preferences for a seed, and others for another', () => {
    const rewards = Array.from({ length: 200 }, () => 0)
    expect(winners(rewards, 1)).toEqual(winners(rewards, 1))
    expect(winners(rewards, 1, 2)).not.toEqual(winners(rewards, 1))
  })
})
