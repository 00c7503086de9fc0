import { ema as op } from '@antipode/kernels-wgsl'
import { ConfigError } from '../errors.ts'
import { apply1, constant, type Tensor } from '../graph/index.ts'
import { checkArgument } from '../options/index.ts'
import type { AverageDecay } from './average-decay.ts'
import { apart, joined, together } from './groups.ts'
import { decay as aDecay } from './ranges.ts'
import { type Gradients, type OptimizerState, paired, Slots } from './slots.ts'

/** Moving average of parameters, in f32. */
export interface Ema extends Disposable {
  /** Averages taken so far. */
  readonly step: number
  /** Adds the average to the graph; evaluate what is returned, then dispose it. Pass it the parameters after their update. */
  update(params: ReadonlyMap<string, Tensor>): Tensor[]
  /** The averages by parameter name, as `withParameters` takes them; they change in place. @throws {ConfigError} before the first update */
  averages(): Map<string, Tensor>
  state(): OptimizerState
  /** Continues from a state, whose tensors it takes over. @throws {CheckpointError} if they are not of this kind */
  load(state: OptimizerState): void
}

/**
 * `e ← decay·e + (1 − decay)·p`, starting at the first parameters it sees.
 * @param decay one for all updates, or one for each, such as `powerWarmup` and `ratioWarmup` give
 * @throws {ConfigError} unless it is in [0, 1), at an update too
 */
export function ema(decay: number | AverageDecay): Ema {
  if (typeof decay !== 'function') checkArgument('ema', 'decay', decay, aDecay)
  const at = (update: number): number => {
    if (typeof decay === 'number') return decay
    const now = decay(update)
    checkArgument(`ema: update ${update}`, 'decay', now, aDecay)
    return now
  }
  const slot = 'ema'
  const slots = new Slots([slot])
  let step = 0
  return {
    get step() {
      return step
    },
    update(params) {
      const updates = average(slots, params, step === 0 ? 0 : at(step + 1))
      step++
      return updates
    },
    averages() {
      if (step === 0) throw new ConfigError('ema: expected an update before the averages are read, got none')
      return namedAfter(slots, slot)
    },
    state: () => ({ step, tensors: slots.tensors }),
    load(state) {
      step = slots.load(state)
    },
    [Symbol.dispose]() {
      slots.dispose()
    },
  }
}

/** Mean of the gradients of several small batches, which stands for the gradient of one large one. */
export interface Accumulator extends Disposable {
  /** Batches in the mean. */
  readonly count: number
  /** Takes gradients in; evaluate what is returned, then dispose it, before the next batch. */
  add(params: ReadonlyMap<string, Tensor>, grads: Gradients): Tensor[]
  /** The mean by parameter name, f32. @throws {ConfigError} before the first batch */
  mean(): Map<string, Tensor>
  /** Starts a new mean in the same memory. */
  reset(): void
}

/** A running mean in place: batch k enters with weight 1/k. */
export function accumulator(): Accumulator {
  const slot = 'grad'
  const slots = new Slots([slot])
  let count = 0
  return {
    get count() {
      return count
    },
    add(params, grads) {
      const values = new Map(paired('accumulator', params, grads).map(([name, , g]) => [name, g]))
      const updates = average(slots, values, count / (count + 1))
      count++
      return updates
    },
    mean() {
      if (count === 0) throw new ConfigError('accumulator: expected gradients before their mean, got none')
      return namedAfter(slots, slot)
    },
    reset() {
      count = 0
    },
    [Symbol.dispose]() {
      slots.dispose()
    },
  }
}

function average(slots: Slots, values: ReadonlyMap<string, Tensor>, decay: number): Tensor[] {
  const [first] = values.values()
  if (!first) return []
  const hyper = constant(first.device, [decay])
  for (const [name, t] of values) slots.of(name, t)
  return together([...values], ([, t]) => t, (group) => {
    const tensors = group.map(([, t]) => t)
    return apart(apply1(op, [...slots.joined(group), joined(tensors), hyper]), tensors)
  })
}

function namedAfter(slots: Slots, slot: string): Map<string, Tensor> {
  return new Map([...slots.tensors].map(([name, t]) => [name.slice(0, -slot.length - 1), t]))
}
