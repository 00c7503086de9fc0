import { existsSync } from 'node:fs'
import { constant, embedding, type Tensor, tensor, type Backend } from '@antipode/core'
import { adapterParameters, addAdapter, lora } from '@antipode/core/nn'
import { adamw, constantWithWarmup } from '@antipode/core/optim'
import { rng } from '@antipode/core/random'
import { digitsDenoiser, digitsLoraTargets, labelsOf, schedule } from '@antipode/digits'
import type { UNet2DConditionModel } from '@antipode/models'
import {
  drawNoise, type LabelledPairs, negate, offsets, type PairBatch, pairObjectiveOf, train, type TrainStep,
} from '@antipode/npo'
import { CurveFile } from '../train/index.ts'
import type { Recipe } from './recipe.ts'

/** The two offsets: η from the preference, δ from the same objective on the opposite one. */
export type OffsetName = 'eta' | 'delta'

/** Where a run saves itself. */
export interface TrainOffsetOptions {
  readonly seed: number
  readonly recipe: Recipe
  readonly path: string
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly onStep: (step: TrainStep) => void
}

/**
 * Trains one offset as a LoRA adapter of that name on the base. η and δ see the same pairs, timesteps and noises and start
 * from the same adapter; only the preference is reversed. A collapsed run (error above 1.2) is given up with an error.
 */
export async function trainOffset(device: Backend, unet: UNet2DConditionModel, name: OffsetName, pairs: LabelledPairs, options: TrainOffsetOptions): Promise<TrainStep[]> {
  const { seed, recipe: { training }, path, resume, signal, onStep } = options
  const objective = pairObjectiveOf<Tensor>(training.objective, { beta: training.beta })
  addAdapter(unet, name, lora({ rank: training.rank, targets: digitsLoraTargets, seed }))
  const side = Math.sqrt(pairs.chosen.length / pairs.labels.length)
  const shape = [pairs.labels.length, 1, side, side]
  using chosen = tensor(device, pairs.chosen, shape)
  using rejected = tensor(device, pairs.rejected, shape)
  const model = digitsDenoiser(unet.with(offsets({ [name]: 1 })))
  const reference = digitsDenoiser(unet.with({}))
  const tuned = name === 'eta' ? objective : negate(objective)
  using optimizer = adamw({ lr: training.learningRate, weightDecay: 0 })
  const curve = new CurveFile(`${path}.curve`, resume && existsSync(path))
  for await (const step of train<PairBatch<Tensor>>({
    parameters: adapterParameters(unet, name),
    optimizer,
    schedule: constantWithWarmup(training.warmup),
    clipNorm: training.clipNorm,
    steps: training.steps,
    limits: { error: 1.2 },
    batch: (index) => {
      const random = rng(seed, { stream: index + 1 })
      const picked = Int32Array.from({ length: training.batch }, () => random.int(pairs.labels.length))
      const rows = constant(device, picked, [training.batch], { dtype: 'i32' })
      return {
        ...drawNoise(device, schedule, [training.batch, 1, side, side], { seed, step: index }),
        chosen: embedding(chosen, rows),
        rejected: embedding(rejected, rows),
        condition: labelsOf(device, Array.from(picked, (i) => pairs.labels[i] ?? 0)),
      }
    },
    loss: (batch) => tuned.evaluate({ model, reference }, batch),
    compile: true,
    checkpoint: { path, every: 50, recipe: JSON.stringify({ name, seed, training, pairs: pairs.meanGap }) },
    resume: resume && existsSync(path),
    signal,
  })) {
    curve.append(step)
    onStep(step)
  }
  return curve.steps()
}
