import { common, concat, ShapeError, type Tensor } from '@antipode/core'
import { anObject, callable, checkOptions, type Ranges, required } from '@antipode/core/options'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import type { Guided, GuidanceCall, Guider, Predictions } from './guider.ts'

/** The two branches of guidance. */
export interface Branches<C extends Condition> {
  /** What to move towards, θ + η. */
  readonly positive: Denoiser<C>
  /**
   * What to move away from: the same model for ordinary guidance, θ + α·η + β·δ for negative preference optimisation.
   */
  readonly negative: Denoiser<C>
  /** The condition of the negative branch: the empty prompt or null class, from the positive one. */
  readonly unconditional: (condition: C) => C
}

/**
 * A denoiser that is told where in a run it stands and what it remembers: what {@link sample} takes besides a plain
 * one.
 */
export interface GuidedDenoiser<C extends Condition = Condition> {
  call(x: Tensor, timesteps: Tensor, condition: C, call: GuidanceCall): Guided
}

/** Options of {@link guided}. */
export interface GuidedOptions<C extends Condition> extends Branches<C> {
  readonly guider: Guider
}

export const branchRanges: Ranges<Branches<Condition>> = {
  positive: required(callable), negative: required(callable), unconditional: required(callable),
}

/**
 * Two branches under a guider, for {@link sample}. Where the guider does not act, only the positive branch is run.
 * @throws {ConfigError} if an option is unknown or missing
 */
export function guided<C extends Condition>(options: GuidedOptions<C>): GuidedDenoiser<C> {
  checkOptions('guided', options, { ...branchRanges, guider: required(anObject('a guider, such as apg makes')) })
  const { guider, positive } = options
  return {
    call(x, timesteps, condition, call) {
      if (!guider.active(call)) return { prediction: positive(x, timesteps, condition), state: call.state }
      return guider.guide(predictionsOf('guided', options, x, timesteps, condition), call)
    },
  }
}

/**
 * What both branches predict: two passes, since they may carry different weights, or one of twice the batch where they
 * are one and the same denoiser. Two passes share what is the same in both.
 * @throws {ShapeError} if their shapes differ, which would broadcast
 */
export function predictionsOf<C extends Condition>(
  where: string, { positive, negative, unconditional }: Branches<C>, x: Tensor, timesteps: Tensor, condition: C,
): Predictions {
  if (positive === negative) {
    const count = x.shape[0] ?? 0
    const conditions = joinConditions(unconditional(condition), condition)
    const both = positive(concat([x, x]), concat([timesteps, timesteps]), conditions) // [2B, ...]
    return { negative: both.slice(0, 0, count), positive: both.slice(0, count) }
  }
  // What does not depend on the branch, as the first layers of a network do not, is computed for both at once.
  const [away, towards] = common(() => [
    negative(x, timesteps, unconditional(condition)), positive(x, timesteps, condition),
  ] as const)
  if (away.shape.join() !== towards.shape.join()) {
    const got = `[${towards.shape.join()}] and [${away.shape.join()}]`
    throw new ShapeError(`${where}: expected predictions of one shape, got ${got}; pass branches of one model`)
  }
  return { positive: towards, negative: away }
}
