import { concat, ConfigError, evaluate, NumericError, type Tensor } from '@antipode/core'
import { lockPath } from '@antipode/core/io'
import { accumulator, clipGradNorm, type Ema, type LearningRateSchedule, type Optimizer } from '@antipode/core/optim'
import {
  abortSignal, anObject, callable, checkArgument, checkOptions, finite, flag, positive, type Range, type Ranges, required,
  text, whole,
} from '@antipode/core/options'
import type { LossAndMetrics } from '../objectives/index.ts'
import { type CheckpointOptions, loadRun, saveRun } from './checkpoint.ts'
import { checkFinite } from './finite.ts'
import { gather, withBatch } from './gather.ts'
import { type Measures, measuring } from './measures.ts'
import { type ReduceGradients, reduceGradients } from './reduce.ts'

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
  readonly signal?: AbortSignal
}

const aMap: Range = { expected: 'a Map of tensors by name', accepts: (v) => v instanceof Map }

function checkTrainOptions<B>(options: TrainOptions<B>): void {
  checkOptions<TrainOptions<B>>('train', options, {
    parameters: required(aMap), batch: required(callable), loss: required(callable), compile: flag, release: callable,
    accumulate: whole(1), optimizer: required(anObject('an optimiser')), steps: required(whole(1)), schedule: callable,
    reduce: callable, clipNorm: positive,
    ema: anObject('an average of parameters, made by ema'), checkpoint: anObject('an object of options'), resume: flag,
    limits: anObject('an object of numbers'), signal: abortSignal,
  })
  if (options.checkpoint) checkOptions('train: checkpoint', options.checkpoint, checkpointRanges)
  for (const [name, limit] of Object.entries(options.limits ?? {})) checkArgument('train: limits', name, limit, finite)
}

const checkpointRanges: Ranges<CheckpointOptions> = {
  path: required(text), every: required(whole(1)),
  recipe: required({ expected: 'a text', accepts: (v) => typeof v === 'string' }),
}

/** What a step was measured at, before its update. */
interface Measured {
  readonly loss: number
  /** Norm of all gradients before clipping. */
  readonly gradNorm: number
  readonly metrics: Readonly<Record<string, number>>
}

/** What one step of training did. */
export interface TrainStep extends Measured {
  /** Number of the step just made, from 0. */
  readonly step: number
  readonly steps: number
}

/**
 * Trains step by step: an async iterator of metrics. Aborting saves a checkpoint, if there is one to save to, and
 * rejects with the signal's reason; a run killed at any moment continues from its last checkpoint and ends in the same
 * weights, bit for bit, as one that was not (on the same adapter). Leaving the loop early saves nothing.
 * @throws {NumericError} if the loss or gradient stops being finite or a metric passes its limit, or if what an update
 * made is not finite where it would be saved or the run ends; what was saved stays saved, but the parameters in memory
 * have taken the step
 * @throws {ConfigError} if an option is unknown or outside its range, there is nothing to train, nothing to resume
 * from, a limit is on no metric, or the schedule gives a factor that is no number of 0 or more: before that step's
 * update
 * @throws {CheckpointError} if a checkpoint does not fit, is damaged, or is past the last step, or if another run saves
 * to its path
 */
export async function* train<B>(options: TrainOptions<B>): AsyncGenerator<TrainStep, void, void> {
  checkTrainOptions(options)
  const { parameters, optimizer, steps, schedule, accumulate = 1 } = options
  const { reduce, ema, checkpoint, resume = false, limits = {}, signal } = options
  const [first] = parameters.values()
  if (!first) throw new ConfigError('train: expected at least one parameter, got none')
  if (resume && !checkpoint) {
    throw new ConfigError('train: expected a checkpoint to resume from, got none; set checkpoint')
  }
  const { device } = first
  const state = { parameters, optimizer, ema }
  await using lock = checkpoint && await lockPath('train', checkpoint.path)
  let step = resume && checkpoint ? await loadRun(device, state, { ...checkpoint, steps }) : 0
  let saved = step
  const measures = measuring(options)
  using mean = accumulator()
  const save = async (): Promise<void> => {
    if (checkpoint && saved !== step) {
      await lock?.check()
      await saveRun(state, step, checkpoint)
    }
    saved = step
  }
  while (step < steps) {
    if (signal?.aborted) {
      await save()
      throw signal.reason
    }
    const rate = optimizer.lr * factorAt(step, schedule)
    let measured: Measured
    if (accumulate > 1) {
      const gathered = await gather(options, mean, measures, step * accumulate)
      // Aborted between two batches.
      if (!gathered) continue
      measured = await reducedStep(options, reduce ?? asTheyAre, gathered, rate, step)
    } else {
      measured = await withBatch(options, step, (batch) => (reduce
        ? reducedStep(options, reduce, measures(batch), rate, step)
        : makeStep(options, measures(batch), rate)))
    }
    guard(step, measured, limits)
    step++
    yield { step: step - 1, steps, ...measured }
    // After the step is reported, so that what a caller keeps of a run is never behind what the run keeps of itself.
    if (checkpoint && step % checkpoint.every === 0) await save()
  }
  if (checkpoint) await save()
  // Nothing else has looked at the last update.
  else await checkFinite('train', state)
}

const asTheyAre: ReduceGradients = (gradients) => gradients

function factorAt(step: number, schedule: LearningRateSchedule | undefined): number {
  const factor = schedule?.(step) ?? 1
  if (factor >= 0 && factor < Infinity) return factor
  const message = `train: step ${step}: expected schedule to give a finite factor of 0 or more, got ${factor}`
  throw new ConfigError(`${message}; check its last steps`)
}

/** Loss, gradients, update, average and metrics: one graph, one submission and one reading. */
async function makeStep<B>(
  { parameters, optimizer, clipNorm, ema }: TrainOptions<B>,
  { report, names, grads, scale }: Measures,
  lr: number,
): Promise<Measured> {
  const updates = optimizer.update(parameters, grads, clipNorm === undefined ? { lr } : { lr, gradScale: scale })
  const averages = ema?.update(new Map([...parameters.keys()].map((name, i) => [name, updates[i] as Tensor]))) ?? []
  try {
    await evaluate(report, ...updates, ...averages)
    const [loss = Number.NaN, gradNorm = Number.NaN, ...numbers] = await report.data()
    return { loss, gradNorm, metrics: Object.fromEntries(names.map((name, i) => [name, numbers[i] ?? Number.NaN])) }
  } finally {
    for (const t of [report, ...updates, ...averages]) t.dispose()
  }
}

/**
 * The same step with gradients that are reduced on their way: they are computed first, and clipped and applied by a
 * graph of their own.
 */
async function reducedStep<B>(
  options: TrainOptions<B>, reduce: ReduceGradients, measures: Measures, lr: number, step: number,
): Promise<Measured> {
  const { names } = measures
  using measured = measures.report
  using reduced = await reduceGradients(reduce, [...options.parameters.keys()], measures.grads, measured, step)
  const { grads } = reduced
  const { norm, scale } = clipGradNorm(grads, options.clipNorm ?? Infinity)
  const rest = names.length > 0 ? [measured.slice(0, 2)] : []
  const report = concat([measured.slice(0, 0, 1), norm.reshape([1]), ...rest])
  return await makeStep(options, { ...measures, report, grads, scale }, lr)
}

function guard(step: number, { loss, gradNorm, metrics }: Measured, limits: Readonly<Record<string, number>>): void {
  const values: Readonly<Record<string, number>> = { ...metrics, loss, gradNorm }
  const unknown = Object.keys(limits).find((name) => !(name in values))
  if (unknown !== undefined) {
    throw new ConfigError(`train: expected limits on ${Object.keys(values).join(', ')}, got one on "${unknown}"`)
  }
  for (const [name, value] of Object.entries(values)) {
    const limit = limits[name] ?? Infinity
    if (Number.isFinite(value) && value <= limit) continue
    const wanted = `a finite ${name}${limit < Infinity ? ` of at most ${limit}` : ''}`
    throw new NumericError(
      `train: step ${step}: expected ${wanted}, got ${value}; check its data, lower the learning rate or raise beta`,
      { where: name },
    )
  }
}
