import type { Op } from '@antipode/kernels-wgsl'
import { concat } from '../functional/index.ts'
import { apply, constant, Tensor } from '../graph/index.ts'
import { checkOptions, positive, type Range } from '../options/index.ts'
import { apart, joined, together } from './groups.ts'
import { rate } from './ranges.ts'
import { type Gradients, type OptimizerState, paired, Slots } from './slots.ts'

/** What may change from one update to the next. */
export interface UpdateOptions {
  /** Learning rate of this update, 0 or more, the optimiser's own by default: multiply it by a schedule's factor. */
  readonly lr?: number
  /** Factor on every gradient, positive: the `scale` of `clipGradNorm`, or one over a loss scale. Default 1. */
  readonly gradScale?: number | Tensor
}

const scale: Range = { expected: `${positive.expected} or a tensor of one`, accepts: (v) => positive.accepts(v) || (v instanceof Tensor && v.size === 1) }

/**
 * Updates parameters in place: small ones, of up to 65,536 elements, by one kernel together, larger ones by one each. The first
 * update moves the memory of small ones together. Hyperparameters are run-time values, so no step compiles anything that the
 * first one has not.
 *
 * @example
 * const grads = gradients(loss, [...params.values()])
 * const updates = optimizer.update(params, grads)
 * await evaluate(loss, ...updates) // params now hold the new values
 * for (const t of updates) t.dispose()
 */
export interface Optimizer extends Disposable {
  readonly lr: number
  /** Updates made so far. */
  readonly step: number
  /** Makes the state of parameters that have none yet; `update` does so by itself. */
  init(params: ReadonlyMap<string, Tensor>): void
  /**
   * Adds the update to the graph. Evaluate what is returned together with the loss, once, and then dispose it: it shares the
   * parameters' memory. Whatever else reads the parameters in that graph sees their old values.
   * @throws {ShapeError} if a parameter has no gradient of its shape
   * @throws {ConfigError} if an option is unknown, or outside its range
   */
  update(params: ReadonlyMap<string, Tensor>, grads: Gradients, options?: UpdateOptions): Tensor[]
  /** The state as it is; it changes in place with the next update. */
  state(): OptimizerState
  /** Continues from a state, whose tensors it takes over. @throws {CheckpointError} if they are not of this optimiser */
  load(state: OptimizerState): void
}

/** What makes one kind of optimiser. */
export interface Rule {
  readonly name: string
  readonly lr: number
  readonly op: Op
  readonly attrs?: Readonly<Record<string, unknown>>
  readonly slots: readonly string[]
  /** Hyperparameters of update number `step` = 1, 2, … without the gradient scale that comes last. */
  readonly hyper: (lr: number, step: number) => ArrayLike<number>
}

/** An optimiser by its rule. */
export function optimizerOf({ name, lr, op, attrs = {}, slots: names, hyper }: Rule): Optimizer {
  const slots = new Slots(names)
  let step = 0
  const init: Optimizer['init'] = (params) => {
    for (const [key, p] of params) slots.of(key, p)
  }
  const packed = (like: Tensor, current: number, gradScale: number | Tensor): Tensor => {
    const values = Array.from(hyper(current, step))
    return typeof gradScale === 'number'
      ? constant(like.device, [...values, gradScale])
      : concat([constant(like.device, values), gradScale.to('f32').reshape([1])])
  }
  return {
    lr,
    get step() {
      return step
    },
    init,
    update(params, grads, options) {
      checkOptions(`${name}.update`, options, { lr: rate, gradScale: scale })
      const { lr: current = lr, gradScale = 1 } = options ?? {}
      const pairs = paired(name, params, grads)
      const [first] = pairs
      if (!first) return []
      step++
      init(params)
      const shared = packed(first[1], current, gradScale)
      return together(pairs, ([, p]) => p, (group) => {
        const like = group.map(([, p]) => p)
        const grads = group.map(([, p, g]) => g.to(p.dtype))
        const [whole] = apply(op, [joined(like), joined(grads), ...slots.joined(group), shared], attrs) as [Tensor]
        return apart(whole, like)
      })
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
