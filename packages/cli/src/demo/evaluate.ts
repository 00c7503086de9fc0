import type { Backend } from '@antipode/core'
import { digitsInTurn, sampleImages } from '@antipode/digits'
import type { UNet2DConditionModel } from '@antipode/models'
import { type Arm, type EvaluationTable, scoreTable } from '@antipode/npo/evaluation'
import { digitMetrics, type Judges } from './judges.ts'
import type { Recipe } from './recipe.ts'
import type { Stages } from './stages.ts'

/** Everything sampled for one seed on one set of noises: images by arm and scale. */
export type SeedImages = ReadonlyMap<string, readonly Float32Array[]>

/** Options of {@link drawSeed}. */
export interface DrawSeedOptions {
  readonly name: string
  readonly recipe: Recipe
  readonly arms: readonly Arm[]
  readonly count: number
  /** Seed of the noises. */
  readonly seed: number
  readonly side: number
  readonly stages: Stages
  readonly signal: AbortSignal
  readonly onImages: (count: number) => void
}

/**
 * Samples every arm at every scale from the same classes and noises. At scale 1 only the positive branch acts, so arms
 * that share it share the images too.
 */
export async function drawSeed(device: Backend, unet: UNet2DConditionModel, options: DrawSeedOptions): Promise<SeedImages> {
  const { name, recipe, arms, count, seed, side, stages, signal, onImages } = options
  const labels = digitsInTurn(count)
  const plain = new Map<string, Float32Array>()
  const out = new Map<string, readonly Float32Array[]>()
  for (const arm of arms) {
    const stored = await stages.of(`${name}-${arm.id.replace(/\W+/g, '_')}`, async () => {
      const drawn: Record<string, { shape: number[]; data: Float32Array }> = {}
      for (const scale of recipe.evaluation.scales) {
        const key = JSON.stringify(arm.positive)
        const known = scale === 1 ? plain.get(key) : undefined
        const data = known ?? await sampleImages(device, unet, {
          positive: arm.positive, negative: arm.negative, scale, seed, labels, side, signal,
          steps: recipe.sampling.steps, batch: recipe.sampling.batch,
        })
        if (scale === 1) plain.set(key, data)
        drawn[`${scale}`] = { shape: [count, 1, side, side], data }
        onImages(count)
      }
      return drawn
    })
    out.set(arm.id, recipe.evaluation.scales.map((s) => stored[`${s}`]?.data ?? new Float32Array()))
  }
  return out
}

/** Scores the digits of several seeds, in the form that the evaluation protocol takes. */
export function scoreDigits(recipe: Recipe, arms: readonly Arm[], images: readonly SeedImages[], count: number, side: number, judges: Judges): EvaluationTable {
  return scoreTable({
    seeds: recipe.seeds, scales: recipe.evaluation.scales, arms: arms.map(({ id }) => id), samples: images,
    metrics: digitMetrics(judges, digitsInTurn(count), side),
  })
}
