import type { Backend } from '@antipode/core'
import { type DigitScore, digitsInTurn, sampleImages } from '@antipode/digits'
import type { UNet2DConditionModel } from '@antipode/models'
import { labelPairs, type LabelledPairs } from '@antipode/npo'
import type { Recipe } from './recipe.ts'
import type { Stages } from './stages.ts'

/** Noises that pairs, selection and evaluation start from never meet: each has its own range of seeds. */
export const noiseSeeds = { pairs: 1_000_000, selection: 2_000_000, evaluation: 3_000_000, random: 4_000_000 } as const

/** Options of {@link drawPairs}. */
export interface DrawPairsOptions extends Pick<Recipe, 'pairs' | 'sampling'> {
  /** Of the stage that keeps the images. */
  readonly name: string
  readonly seed: number
  readonly side: number
  readonly reward: DigitScore
  readonly stages: Stages
  readonly signal: AbortSignal
  readonly onImages: (count?: number) => void
}

/** Pairs that the base sampled, of one class each, labelled by the reward. */
export async function drawPairs(device: Backend, unet: UNet2DConditionModel, options: DrawPairsOptions): Promise<LabelledPairs> {
  const { name, pairs: { count, scale, temperature }, sampling: { steps, batch }, seed, side, reward, stages, signal, onImages } = options
  const labels = digitsInTurn(count).reduce((all, label, i) => all.fill(label, 2 * i, 2 * i + 2), new Int32Array(2 * count))
  const { images } = await stages.of(name, async () => ({
    images: {
      shape: [2 * count, 1, side, side],
      data: await sampleImages(device, unet, {
        positive: {}, negative: {}, scale, seed: noiseSeeds.pairs + seed, labels, side, signal, steps, batch, onBatch: onImages,
      }),
    },
  }))
  return labelPairs(images.data, labels, reward, { temperature, seed })
}
