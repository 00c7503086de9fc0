import { CheckpointError, ConfigError } from '@antipode/core'
import type { Collapse } from './collapse-error.ts'
import type { StopRule } from './stop-rules.ts'
import type { TrainStep } from './train-step.ts'

/** Numbers by the names of rules. */
export type WatchState = Readonly<Record<string, readonly number[]>>

/** The rules of a run, and what they remember. */
export class Watch {
  readonly #rules: readonly StopRule[]
  readonly #memory = new Map<string, readonly number[]>()
  /** The step with which that began for which a rule may yet end the run. */
  since: number | undefined

  /** @throws {ConfigError} if two have one name */
  constructor(rules: readonly StopRule[]) {
    this.#rules = rules
    const names = rules.map(({ name }) => name)
    const twice = names.find((name, i) => names.indexOf(name) < i)
    if (twice === undefined) return
    throw new ConfigError(`train: expected rules of different names in stop, got two called "${twice}"; leave one out`)
  }

  /** What a step says of the run's end; of one that was left out, nothing. @throws {ConfigError} if a rule asks for a metric that there is not */
  look(step: TrainStep): Collapse | undefined {
    if (step.leftOut) return undefined
    this.since = undefined
    for (const { name, look } of this.#rules) {
      const { memory, since, because } = look(step, this.#memory.get(name) ?? [])
      this.#memory.set(name, memory)
      if (because !== undefined) return { rule: name, step: step.step, since: since ?? step.step, because }
      if (since !== undefined) this.since = Math.min(since, this.since ?? since)
    }
    return undefined
  }

  state(): WatchState {
    return Object.fromEntries(this.#memory)
  }

  /** Goes on from what rules of these names remembered; others begin anew. @throws {CheckpointError} if it is no state */
  load(state: WatchState): void {
    for (const [name, memory] of Object.entries(state)) {
      if (!Array.isArray(memory) || !memory.every(Number.isFinite)) {
        throw new CheckpointError(`resume: expected numbers as the memory of "${name}", got ${JSON.stringify(memory)}; start afresh`)
      }
      this.#memory.set(name, memory)
    }
  }
}
