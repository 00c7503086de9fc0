import { ConfigError, type Tensor } from '@antipode/core'
import { fileAside, lockPath } from '@antipode/core/io'
import { accumulator, type LearningRateSchedule } from '@antipode/core/optim'
import { loadRun, saveRun } from './checkpoint.ts'
import { CollapseError } from './collapse-error.ts'
import { checkFinite } from './finite.ts'
import { gather, withBatch } from './gather.ts'
import { guard } from './guard.ts'
import { measuring } from './measures.ts'
import type { ReduceGradients } from './reduce.ts'
import { makeStep, reducedStep } from './step.ts'
import { checkTrainOptions, type TrainOptions } from './train-options.ts'
import type { Measured, TrainStep } from './train-step.ts'
import { Watch } from './watch.ts'

/**
 * Trains step by step: an async iterator of metrics. Aborting saves a checkpoint, if there is one to save to, and
 * rejects with the signal's reason; a run killed at any moment continues from its last checkpoint and ends in the same
 * weights, bit for bit, as one that was not (on the same adapter). Leaving the loop early saves nothing.
 * @throws {NumericError} if the loss or gradient stops being finite or a metric passes its limit, or if what an update
 * made is not finite where it would be saved or the run ends; what was saved stays saved, but the parameters in memory
 * have taken the step
 * @throws {CollapseError} if a rule of `stop` is met; the checkpoint then is from before that began
 * @throws {ConfigError} if an option is unknown or outside its range, there is nothing to train, nothing to resume
 * from, a limit or rule is on no metric, or the schedule gives a factor that is no number of 0 or more: before that step's
 * update
 * @throws {CheckpointError} if a checkpoint does not fit, is damaged, or is past the last step, or if another run saves
 * to its path
 */
export async function* train<B>(options: TrainOptions<B>): AsyncGenerator<TrainStep, void, void> {
  checkTrainOptions(options)
  const { parameters, optimizer, steps, schedule, accumulate = 1, lossScaler, stop = [] } = options
  const { reduce, ema, checkpoint, resume = false, limits = {}, signal } = options
  const [{ device }] = parameters.values() as Iterable<Tensor> as [Tensor] // was found to be there
  const watch = new Watch(stop)
  const state = { parameters, optimizer, ema, lossScaler, watch }
  await using lock = checkpoint && await lockPath('train', checkpoint.path)
  let step = resume && checkpoint ? await loadRun(device, state, { ...checkpoint, steps }) : 0
  let saved = step
  // What was saved before that began which may end the run.
  const good = checkpoint && fileAside('train', checkpoint.path, 'good')
  if (!resume) await good?.drop()
  const measures = measuring(options)
  using mean = accumulator()
  const save = async (): Promise<void> => {
    if (checkpoint && saved !== step) {
      await lock?.check()
      await (watch.since === undefined ? good?.drop() : good?.keep())
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
      const gathered = await gather(options, mean, measures, step * accumulate, lossScaler?.scale)
      // Aborted between two batches.
      if (!gathered) continue
      measured = await reducedStep(options, reduce ?? asTheyAre, gathered, rate, step)
    } else {
      measured = await withBatch(options, step, (batch) => (reduce || lossScaler
        ? reducedStep(options, reduce ?? asTheyAre, measures(batch, lossScaler?.scale), rate, step)
        : makeStep(options, measures(batch), rate)))
    }
    guard(step, measured, limits)
    const made: TrainStep = { step, steps, ...measured }
    const collapse = watch.look(made)
    if (collapse) {
      await good?.restore()
      throw new CollapseError(collapse, saved > 0 ? checkpoint?.path : undefined)
    }
    step++
    yield made
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

