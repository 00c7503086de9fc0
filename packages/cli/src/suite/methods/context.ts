import type { Backend, Tensor } from '@antipode/core'
import { addAdapter, adapterParameters, fullDelta, lora } from '@antipode/core/nn'
import { adamw, constantWithWarmup, type LearningRateSchedule, type Optimizer } from '@antipode/core/optim'
import { digitsDenoiser, digitsLoraTargets, unconditional } from '@antipode/digits'
import type { UNet2DConditionModel } from '@antipode/models'
import {
  cfg, type Denoiser, type LabelledPairs, negate, offsets, type PreferenceObjective, type Reward, throughGuidance, type TrainStep,
} from '@antipode/npo'
import type { SuiteRecipe } from '../recipe.ts'
import type { Training } from '../trainings.ts'

/** What a seed's trainings share. */
export interface SeedMaterial {
  readonly device: Backend
  readonly unet: UNet2DConditionModel
  readonly recipe: SuiteRecipe
  readonly seed: number
  readonly side: number
  readonly pairs: LabelledPairs
  readonly morePairs: LabelledPairs
  /** The labelling reward, differentiable. */
  readonly reward: Reward<Tensor> & Disposable
  readonly signal: AbortSignal
}

/** A training under way, whose offset is an adapter of its id. */
export interface MethodContext extends SeedMaterial {
  readonly training: Training
  readonly steps: number
  /** The network in training, and the frozen base. */
  readonly trained: Denoiser<Tensor>
  readonly frozen: Denoiser<Tensor>
  /** What samples for the methods that learn from their own runs. */
  readonly sampler: Denoiser<Tensor>
  /** What is the same for all methods of {@link train}. */
  readonly shared: {
    readonly parameters: ReadonlyMap<string, Tensor>
    readonly optimizer: Optimizer
    readonly schedule: LearningRateSchedule
    readonly clipNorm: number
    readonly steps: number
    readonly signal: AbortSignal
  }
}

/** How a method trains. */
export type Method = (context: MethodContext) => AsyncIterable<TrainStep>

/** Adds an adapter that changes nothing yet, and readies its training. */
export function beginTraining(material: SeedMaterial, training: Training, steps: number): MethodContext & Disposable {
  const { unet, recipe: { training: { rank, learningRate, warmup, clipNorm, guidedScale } }, seed, signal } = material
  const { id, weights, form } = training
  addAdapter(unet, id, weights === 'lora' ? lora({ rank, targets: digitsLoraTargets, seed }) : fullDelta({ targets: /./ }))
  const trained = digitsDenoiser(unet.with(offsets({ [id]: 1 })))
  const frozen = digitsDenoiser(unet.with({}))
  const optimizer = adamw({ lr: learningRate[weights], weightDecay: 0 })
  return {
    ...material, training, steps, trained, frozen,
    sampler: form === 'guided' ? cfg({ positive: frozen, negative: trained, scale: guidedScale, unconditional }) : trained,
    shared: { parameters: adapterParameters(unet, id), optimizer, schedule: constantWithWarmup(warmup), clipNorm, steps, signal },
    [Symbol.dispose]: () => { optimizer[Symbol.dispose]() },
  }
}

/** The objective in the form of the training: as it is, on the reversed preference, or inside of guidance. */
export function inForm<Batch, Networks extends Readonly<Record<keyof Networks, Denoiser<Tensor>>>>(
  objective: PreferenceObjective<Batch, Networks>, { training, frozen, recipe }: MethodContext,
): PreferenceObjective<Batch, Networks> {
  if (training.form === 'eta') return objective
  if (training.form === 'swap') return negate(objective)
  return throughGuidance(objective, { positive: frozen, unconditional, scale: recipe.training.guidedScale })
}
