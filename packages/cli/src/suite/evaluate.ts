import { type Backend, compile, concat, constant, randn, type Tensor } from '@antipode/core'
import { digitsDenoiser, digitsInTurn, labelsOf, pixelLimit, solver, unconditional } from '@antipode/digits'
import type { UNet2DConditionModel } from '@antipode/models'
import { type Denoiser, offsets, type OffsetWeights, sampleToEnd } from '@antipode/npo'
import { digitMetrics, type Judges, noiseSeeds, type StageArrays } from '../demo/index.ts'
import type { SuiteRecipe } from './recipe.ts'

/** Weights of offsets on either branch. */
export interface Mixture {
  readonly positive: OffsetWeights
  readonly negative: OffsetWeights
}

/** What one arm is scored with. */
export interface ScoreArmOptions extends Mixture {
  readonly recipe: SuiteRecipe
  readonly seed: number
  readonly side: number
  readonly judges: Judges
  readonly signal: AbortSignal
}

/** A class and a scale of guidance for each image. */
interface Told extends Readonly<Record<string, Tensor>> {
  readonly classes: Tensor
  readonly scale: Tensor
}

/** Which metrics an arm has. */
export const metricNames = ['judge', 'reward', 'correct'] as const

/**
 * Samples an arm at all scales, in one batch: from the noises of evaluation and from those of selection, the same for every
 * scale and arm of a seed. Scores are `[scales, items]`, under `evaluation.judge`, `selection.judge` and so on.
 */
export async function scoreArm(device: Backend, unet: UNet2DConditionModel, options: ScoreArmOptions): Promise<StageArrays> {
  const { positive, negative, recipe: { evaluation, sampling: { steps } }, seed, side, judges, signal } = options
  const { scales, perSeed, selectionPerSeed } = evaluation
  const sets = [['evaluation', perSeed], ['selection', selectionPerSeed]] as const
  const [towards, away] = [positive, negative].map((weights) => digitsDenoiser(unet.with(offsets(weights)))) as [Denoiser<Tensor>, Denoiser<Tensor>]
  const denoise = compile<Parameters<Denoiser<Told>>, Tensor>((x, timesteps, { classes, scale }) => {
    const from = away(x, timesteps, unconditional(classes))
    return from.add(towards(x, timesteps, classes).sub(from).mul(scale))
  })
  const noises = sets.flatMap(([name, count]) => {
    const noise = randn(device, [count, 1, side, side], { seed: noiseSeeds[name] + seed })
    return scales.map(() => noise)
  })
  const labels = Int32Array.from(sets.flatMap(([, count]) => scales.flatMap(() => [...digitsInTurn(count)])))
  const each = sets.flatMap(([, count]) => scales.flatMap((scale) => Array<number>(count).fill(scale)))
  const told: Told = { classes: labelsOf(device, labels), scale: constant(device, each, [each.length, 1, 1, 1]) }
  using noise = concat(noises)
  using result = await sampleToEnd(denoise, solver, noise, told, { steps, signal, x0: (x) => x.clamp(-pixelLimit, pixelLimit) })
  const images = (await result.data() as Float32Array).map((v) => Math.min(1, Math.max(-1, v)))
  const metrics = digitMetrics(judges, labels, side)
  const scores = metricNames.map((name) => [name, Float32Array.from(metrics[name](images))] as const)
  const split = scales.length * perSeed
  return Object.fromEntries(sets.flatMap(([name, count], k) => scores.map(([metric, values]) => [`${name}.${metric}`, {
    shape: [scales.length, count], data: k === 0 ? values.slice(0, split) : values.slice(split),
  }])))
}
