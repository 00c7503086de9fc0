import { common, concat, ConfigError, ShapeError, type Tensor } from '@antipode/core'
import { anObject, callable, checkOptions, type Ranges, required } from '@antipode/core/options'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import type { Guided, GuidanceCall, GuidancePoint, Guider, Predictions } from './guider.ts'

/** The two branches that all guidance has. */
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

/**
 * A third branch, which predicts worse: the same model with something taken out, a smaller one, an earlier one. It is
 * given what the positive branch is given, and what the other two made of that. Every denoiser is one.
 */
export type Perturbation<C extends Condition = Condition> = (
  x: Tensor, timesteps: Tensor, condition: C, call: { readonly predictions: Predictions; readonly point: GuidancePoint },
) => Tensor

/** Options of {@link guided}. */
export interface GuidedOptions<C extends Condition> extends Branches<C> {
  /** What a guider that perturbs moves away from beside the negative branch, such as {@link perturbed}. */
  readonly perturbed?: Perturbation<C>
  readonly guider: Guider
}

export const branchRanges: Ranges<Branches<Condition>> = {
  positive: required(callable), negative: required(callable), unconditional: required(callable),
}

/**
 * Branches under a guider, for {@link sample}. Those that the guider does not read at a call are not run.
 * @throws {ConfigError} if an option is unknown or missing; and at a call at which the guider perturbs, if there is no
 * perturbed branch
 * @throws {ShapeError} at a call whose predictions differ in shape, which would broadcast
 */
export function guided<C extends Condition>(options: GuidedOptions<C>): GuidedDenoiser<C> {
  checkOptions('guided', options, {
    ...branchRanges, perturbed: callable, guider: required(anObject('a guider, such as apg makes')),
  })
  const { guider, positive, perturbed } = options
  return {
    call(x, timesteps, condition, call) {
      const [active, perturbs] = [guider.active(call), guider.perturbs?.(call) === true]
      const predictions = active
        ? predictionsOf('guided', options, x, timesteps, condition)
        : alone(positive(x, timesteps, condition))
      if (!perturbs) {
        return active ? guider.guide(predictions, call) : { prediction: predictions.positive, state: call.state }
      }
      if (!perturbed) {
        throw new ConfigError('guided: expected a perturbed branch, as the guider reads one, got none; pass `perturbed`')
      }
      const worse = perturbed(x, timesteps, condition, { predictions, point: call })
      checkAlike('guided', predictions.positive, worse)
      return guider.guide({ ...predictions, perturbed: worse }, call)
    },
  }
}

const alone = (positive: Tensor): Predictions => ({ positive, negative: positive })

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
  checkAlike(where, towards, away)
  return { positive: towards, negative: away }
}

function checkAlike(where: string, a: Tensor, b: Tensor): void {
  if (a.shape.join() === b.shape.join()) return
  const got = `[${a.shape.join()}] and [${b.shape.join()}]`
  throw new ShapeError(`${where}: expected predictions of one shape, got ${got}; pass branches of one model`)
}
