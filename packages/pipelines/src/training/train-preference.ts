import { ConfigError } from '@antipode/core'
import { adapterParameters, addAdapter, lora } from '@antipode/core/nn'
import { adamw, constantWithWarmup, type Ema, lossScaler } from '@antipode/core/optim'
import {
  abortSignal, anObject, atLeast, checkOptions, finite, flag, listOf, oneOf, positive, type Ranges, required, text, whole,
} from '@antipode/core/options'
import type { AutoencoderKL, UNet2DCondition, UNet2DConditionModel } from '@antipode/models'
import {
  type CheckpointOptions, negate, type PairBatch, type PairObjectiveName, pairObjectiveNames, pairObjectiveOf,
  type ReferredNetworks, type StopRule, train, type TrainStep,
} from '@antipode/npo'
import type { Scheduler } from '@antipode/schedulers'
import { latentPairs } from './batches/index.ts'
import type { EncodedPairs } from './encodings/index.ts'

/** Options of {@link trainPreference}. */
export interface PreferenceOptions {
  /** By its name, as `pairObjectiveOf` of @antipode/npo has it; `dpo` by default. */
  readonly objective?: PairObjectiveName
  /**
   * Whether what people do not prefer is learnt, δ, by the same objective on the opposite preference; false by default,
   * which learns what they prefer, η.
   */
  readonly negated?: boolean
  /** The adapter that is added and trained: the objective's name by default, or `npo` where it is negated. */
  readonly adapter?: string
  /** Rank of the pairs, whole, 1 or more; 8 by default. */
  readonly rank?: number
  /** Strength is alpha / rank: the rank by default. */
  readonly alpha?: number
  /** Layers that are adapted, by their names: all products of every attention by default. */
  readonly targets?: RegExp
  /** Updates in all, those of a run that is continued included. */
  readonly steps: number
  /** Pairs of a batch; 4 by default. */
  readonly batch?: number
  /** Batches whose mean gradient makes one update; 1 by default. */
  readonly accumulate?: number
  /** 5e-6 by default. */
  readonly learningRate?: number
  /** Updates in which the learning rate rises from 0; none by default. */
  readonly warmup?: number
  /** 0.01 by default. */
  readonly weightDecay?: number
  /** Largest norm of all gradients together; 1 by default. */
  readonly clipNorm?: number
  /** β in the unit of the objective, which has a default of its own; 2000 of `dpo`. */
  readonly beta?: number
  /** Of the adapter, the order of pairs, timesteps and noise; 0 by default. */
  readonly seed?: number
  /** Latents drawn anew each time, by default, or the most likely ones. */
  readonly posterior?: 'sample' | 'mode'
  /** Takes the average of the adapter from the first update on; `withAverages` of @antipode/npo makes use of it. */
  readonly ema?: Ema
  /**
   * Whether losses are scaled so that gradients do not vanish in f16 (see `lossScaler` of @antipode/core): true where
   * the UNet computes in f16, by default.
   */
  readonly lossScaling?: boolean
  /** What ends the run besides a collapse; see `train`. */
  readonly stop?: readonly StopRule[]
  /** Whether activations are computed again in the backward pass rather than kept; true by default. */
  readonly gradientCheckpointing?: boolean
  readonly checkpoint?: CheckpointOptions
  /** Whether to continue what `checkpoint.path` holds; false by default. */
  readonly resume?: boolean
  readonly signal?: AbortSignal
}

/** The parts of a pipeline that are trained, or that say how. */
export interface PreferenceModels {
  readonly unet: UNet2DConditionModel
  readonly vae: AutoencoderKL
  readonly scheduler: Scheduler
}

/** All products of every attention, as the field's scripts for preference adapt them. */
export const attentionTargets: RegExp = /\.attn[12]\.to_(?:q|k|v|out\.0)$/

/**
 * A model whose error is more than one and a half of the reference's has collapsed: then its accuracy says nothing.
 * Objectives without a reference do not know that error.
 */
const collapse: StopRule = {
  name: 'error of the base',
  look({ metrics: { error = 0, referenceError = Infinity } }) {
    if (error <= 1.5 * referenceError) return { memory: [] }
    return { memory: [], because: `an error of ${error}, more than 1.5 times the base's of ${referenceError}` }
  },
}

const ranges: Ranges<PreferenceOptions> = {
  objective: oneOf(...pairObjectiveNames), negated: flag, adapter: text, rank: whole(1), alpha: finite,
  targets: { expected: 'a RegExp', accepts: (v) => v instanceof RegExp },
  steps: required(whole(1)), batch: whole(1, 1024), accumulate: whole(1), learningRate: atLeast(0), warmup: whole(0),
  weightDecay: atLeast(0), clipNorm: positive, beta: positive, seed: whole(0), posterior: oneOf('sample', 'mode'),
  gradientCheckpointing: flag, ema: anObject('an average of parameters, made by ema'), lossScaling: flag,
  stop: listOf(anObject('a rule')),
  checkpoint: anObject('an object of options'), resume: flag, signal: abortSignal,
}

/**
 * Trains a low-rank adapter of a UNet on preferences, step by step, as `train` of @antipode/npo does: Diffusion-DPO or
 * another objective with the base itself, adapters off, as the reference, or the same on the opposite preference
 * (Diffusion-NPO). The adapter is on the UNet from the first step on, in f32 whatever the base is kept in, and stays there: save it with
 * `saveAdapter`.
 * @throws {CollapseError} if its error is more than one and a half of the base's, which objectives without a reference
 * do not know, or a rule of `stop` is met
 * @throws {ConfigError | CheckpointError} as `train` and `addAdapter` do
 * Sources: Wallace et al. 2023, arXiv 2311.12908; Wang et al. 2025, arXiv 2505.11245; defaults as the scripts of the
 * latter.
 */
export async function* trainPreference(
  models: PreferenceModels, pairs: EncodedPairs, options: PreferenceOptions,
): AsyncGenerator<TrainStep, void, void> {
  checkOptions('trainPreference', options, ranges)
  const {
    objective: kind = 'dpo', negated = false, adapter = negated ? 'npo' : kind, rank = 8, alpha,
    targets = attentionTargets, steps, seed = 0, beta,
  } = options
  const { batch: size = 4, accumulate = 1, learningRate: lr = 5e-6, warmup = 0, weightDecay = 0.01, clipNorm = 1 } = options
  const { posterior = 'sample', gradientCheckpointing = true, checkpoint, resume = false, signal } = options
  const { unet, vae, scheduler: { schedule: process } } = models
  if (!process) {
    throw new ConfigError(
      'trainPreference: expected a scheduler with a table of noise levels, got one of another process; pass that of the ' +
        'checkpoint',
    )
  }
  const objective = pairObjectiveOf<UNet2DCondition>(kind, beta === undefined ? {} : { beta })
  addAdapter(unet, adapter, lora({ rank, targets, seed, ...(alpha === undefined ? {} : { alpha }) }))
  const tuned = negated ? negate(objective) : objective
  const networks = networksOf(unet, adapter, gradientCheckpointing)
  using optimizer = adamw({ lr, weightDecay })
  const { ema, lossScaling = unet.dtype === 'f16', stop = [] } = options
  yield* train<PairBatch<UNet2DCondition>>({
    parameters: adapterParameters(unet, adapter),
    ...latentPairs(vae, pairs, { process, size, seed, posterior }),
    loss: (batch) => tuned.evaluate(networks, batch),
    compile: true,
    optimizer, steps, accumulate, clipNorm, resume, schedule: constantWithWarmup(warmup),
    ...(checkpoint ? { checkpoint } : {}),
    ...(signal ? { signal } : {}),
    ...(ema ? { ema } : {}),
    ...(lossScaling ? { lossScaler: lossScaler() } : {}),
    stop: [collapse, ...stop],
  })
}

/**
 * The UNet with its adapter, and without any. @param checkpoint whether the former computes activations again in the
 * backward pass
 */
export function networksOf(
  unet: UNet2DConditionModel, adapter: string, checkpoint: boolean,
): ReferredNetworks<UNet2DCondition> {
  const [tuned, base] = [unet.with({ [adapter]: 1 }), unet.with({})]
  return {
    model: (x, timesteps, condition) => tuned.forward(x, timesteps, condition, { checkpoint }),
    reference: (x, timesteps, condition) => base.forward(x, timesteps, condition),
  }
}
