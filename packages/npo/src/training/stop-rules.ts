import { ConfigError } from '@antipode/core'
import { atLeast, checkOptions, finite, listOf, required, whole } from '@antipode/core/options'
import { type TrainStep, valuesOf } from './train-step.ts'

/** A criterion by which a run is given up before it wastes its time. */
export interface StopRule {
  /** What its memory is called in a checkpoint: another for each rule of a run. */
  readonly name: string
  /**
   * Looks at a step. It must depend on the step and on what it remembers alone, so that a resumed run ends where one
   * that was not interrupted does.
   * @param memory what it gave for the step before; empty at first
   */
  readonly look: (step: TrainStep, memory: readonly number[]) => StopLook
}

/** What a rule makes of a step. */
export interface StopLook {
  /** Finite numbers, for the next step. */
  readonly memory: readonly number[]
  /** The step with which that began for which the run may yet end: the checkpoint from before is kept until it is over. */
  readonly since?: number
  /** Why the run ends, in words. Without it, it goes on. */
  readonly because?: string
}

/** How long something must last. */
export interface LastingOptions {
  /** Steps in a row, whole, 1 or more; 1 by default. */
  readonly steps?: number
}

/** Ends a run where a metric, `loss` or `gradNorm` is above `most` for some steps in a row: a KL, an error, a gradient. */
export function above(metric: string, most: number, options: LastingOptions = {}): StopRule {
  checkOptions('above', { most, ...options }, { most: required(finite), steps: whole(1) })
  return lasting(`above ${metric}`, options.steps ?? 1, (step) => {
    const value = valueOf('above', step, metric)
    return value > most ? `${metric} above ${most}, ${value} at last,` : undefined
  })
}

/** Options of {@link pinned}. */
export interface PinnedOptions {
  /** Steps in a row, whole, 1 or more. */
  readonly steps: number
  /** Values that a metric may be stuck at; 0 and 1 by default. */
  readonly at?: readonly number[]
}

/**
 * Ends a run where a metric keeps one of some values: an accuracy of 1 or 0 in all of many batches says that the pairs
 * are told apart by something else than what was to be learnt, or that the loss has no gradient any more.
 */
export function pinned(metric: string, options: PinnedOptions): StopRule {
  checkOptions('pinned', options, { steps: required(whole(1)), at: listOf(finite) })
  const { steps, at = [0, 1] } = options
  const rules = at.map((value) => lasting(`pinned ${metric}`, steps, (step) => (
    valueOf('pinned', step, metric) === value ? `${metric} ${value}` : undefined
  )))
  return {
    name: `pinned ${metric}`,
    look(step, memory) {
      const looks = rules.map(({ look }, i) => look(step, memory.slice(i, i + 1)))
      const stuck = looks.find(({ since }) => since !== undefined)
      return { ...stuck, memory: looks.flatMap((one) => one.memory) }
    },
  }
}

/** Options of {@link belowStart}. */
export interface BelowStartOptions {
  /** Steps that the beginning is the mean of, and for which the metric must stay below it: whole, 1 or more. */
  readonly steps: number
  /** How far below, finite, 0 or more; 0 by default. */
  readonly margin?: number
}

/** Ends a run where a metric, such as a reward, has fallen below what it was in the beginning, and stays there. */
export function belowStart(metric: string, options: BelowStartOptions): StopRule {
  checkOptions('belowStart', options, {
    steps: required(whole(1)), margin: atLeast(0),
  })
  const { steps, margin = 0 } = options
  const name = `${metric} below its start`
  return {
    name,
    look(step, [seen = 0, sum = 0, ...memory]) {
      const value = valueOf('belowStart', step, metric)
      if (seen < steps) return { memory: [seen + 1, sum + value] }
      const least = sum / seen - margin
      const rest = lasting(name, steps, () => (value < least ? `${metric} below ${least}, ${value} at last,` : undefined)).look(step, memory)
      return { ...rest, memory: [seen, sum, ...rest.memory] }
    },
  }
}

/** A rule of what holds for some steps in a row; it remembers for how many it has. */
function lasting(name: string, steps: number, holds: (step: TrainStep) => string | undefined): StopRule {
  return {
    name,
    look(step, [before = 0]) {
      const what = holds(step)
      if (what === undefined) return { memory: [0] }
      const count = before + 1
      const since = step.step - before
      if (count < steps) return { memory: [count], since }
      return { memory: [count], since, because: `${what} for ${count} ${count === 1 ? 'step' : 'steps'}` }
    },
  }
}

function valueOf(where: string, step: TrainStep, metric: string): number {
  const values = valuesOf(step)
  const value = values[metric]
  if (value === undefined) {
    throw new ConfigError(`${where}: expected a metric among ${Object.keys(values).join(', ')}, got "${metric}"`)
  }
  return value
}
