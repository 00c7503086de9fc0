import { ConfigError, type Tensor } from '@antipode/core'
import type { Ema, LearningRateSchedule, LossScaler, Optimizer } from '@antipode/core/optim'
import {
  abortSignal, anObject, callable, checkArgument, checkOptions, finite, flag, listOf, positive, type Range, type Ranges,
  required, text, whole,
} from '@antipode/core/options'
import type { LossAndMetrics } from '../objectives/index.ts'
import type { CheckpointOptions } from './checkpoint.ts'
import type { ReduceGradients } from './reduce.ts'
import type { StopRule } from './stop-rules.ts'

/** Options of {@link train}. */
export interface TrainOptions<B> {
  /** What is updated, by name: a model's parameters, or those of one of its adapters. */
  readonly parameters: ReadonlyMap<string, Tensor>
  /** The batch of a step. It must depend on its number only, so that a resumed run sees the same batches. */
  readonly batch: (index: number) => B | Promise<B>
  /** The loss of a batch, over the parameters. */
  readonly loss: (batch: B) => LossAndMetrics
  /**
   * Whether `loss` is run for the first batch only, false by default, and its graph repeated for those that follow (see
   * `compile` of
   * @antipode/core): less work for the host in each step. All that changes from step to step must then come in by the
   * batch.
   */
  readonly compile?: boolean
  /** Called with each batch once it is used, or has failed, to dispose what was uploaded for it. */
  readonly release?: (batch: B) => void
  /**
   * Batches whose mean gradient makes one step, whole, 1 or more, 1 by default: of step n they are
   * `batch(n·accumulate)` to `batch(n·accumulate + accumulate − 1)`, one in memory at a time. Loss and metrics are
   * means over them.
   */
  readonly accumulate?: number
  readonly optimizer: Optimizer
  /** Steps in all, whole, 1 or more, those of an earlier run that is continued included. */
  readonly steps: number
  /** Factor on the optimiser's learning rate at each step, finite and 0 or more; 1 by default. */
  readonly schedule?: LearningRateSchedule
  /**
   * What becomes of the gradients between their computation and the update, before they are clipped: here the means
   * over several devices are taken, each of which trains on its part of a batch. It gets evaluated gradients by name
   * and gives such of the same names and shapes, evaluated or not; `train` disposes both. Loss and metrics stay those
   * of this run's own batch.
   */
  readonly reduce?: ReduceGradients
  /** Largest norm of all gradients together, positive and finite; without it they are not clipped. */
  readonly clipNorm?: number
  readonly ema?: Ema
  readonly checkpoint?: CheckpointOptions
  /**
   * Whether to continue what `checkpoint.path` holds, which must exist then; otherwise, as by default, the first save
   * replaces it.
   */
  readonly resume?: boolean
  /**
   * Largest value a metric may take before the run is given up, finite, by name: `{ error: 1.2 }` stops a collapsed
   * model.
   */
  readonly limits?: Readonly<Record<string, number>>
  /**
   * Multiplies the loss for its gradients, which are divided again before anything is made of them, so that those of a
   * network that computes in f16 do not vanish (see `lossScaler` of @antipode/core). A step whose gradients are not
   * finite at its scale is left out, and the scale is lowered: weights, moments, averages and optimiser are as they
   * were. Parameters must be f32: those of a network in f16 learn as {@link masterWeights}.
   */
  readonly lossScaler?: LossScaler
  /**
   * What else ends the run, such as {@link pinned}, {@link above} and {@link belowStart}. While a rule counts the steps
   * of what may end it, the checkpoint from before is kept at `<checkpoint.path>.good`, and takes its place again if it
   * comes to that.
   */
  readonly stop?: readonly StopRule[]
  readonly signal?: AbortSignal
}

const aMap: Range = { expected: 'a Map of tensors by name', accepts: (v) => v instanceof Map }

/** @throws {ConfigError} if an option is unknown or outside its range */
export function checkTrainOptions<B>(options: TrainOptions<B>): void {
  checkOptions<TrainOptions<B>>('train', options, {
    parameters: required(aMap), batch: required(callable), loss: required(callable), compile: flag, release: callable,
    accumulate: whole(1), optimizer: required(anObject('an optimiser')), steps: required(whole(1)), schedule: callable,
    reduce: callable, clipNorm: positive,
    ema: anObject('an average of parameters, made by ema'), checkpoint: anObject('an object of options'), resume: flag,
    limits: anObject('an object of numbers'), lossScaler: anObject('a scaler, made by lossScaler'),
    stop: listOf(anObject('a rule')), signal: abortSignal,
  })
  if (options.checkpoint) checkOptions('train: checkpoint', options.checkpoint, checkpointRanges)
  for (const [name, limit] of Object.entries(options.limits ?? {})) checkArgument('train: limits', name, limit, finite)
  const { parameters, resume = false, checkpoint, lossScaler } = options
  if (parameters.size === 0) throw new ConfigError('train: expected at least one parameter, got none')
  if (resume && !checkpoint) {
    throw new ConfigError('train: expected a checkpoint to resume from, got none; set checkpoint')
  }
  for (const [name, { dtype }] of parameters) {
    if (!lossScaler || dtype === 'f32') continue
    throw new ConfigError(`train: expected parameters in f32 with a lossScaler, got ${name} in ${dtype}; train its masterWeights`)
  }
}

const checkpointRanges: Ranges<CheckpointOptions> = {
  path: required(text), every: required(whole(1)),
  recipe: required({ expected: 'a text', accepts: (v) => typeof v === 'string' }),
}
