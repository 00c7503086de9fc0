import { refuse } from '../../errors.ts'
import { linspace, roundHalfEven } from '../../numeric/index.ts'
import type { SamplingPlan } from '../../run/index.ts'
import type { ScheduleConfig } from '../../schedule/index.ts'
import {
  curvedSigmas,
  shiftSigma,
  spacedBeyond,
  timestepFinder,
  type Levels,
  type SigmaConfig,
} from '../../sigmas/index.ts'
import type { SpacingConfig } from '../../timesteps/index.ts'

/** The options that levels and orders of DPM-Solver's steps follow from. */
export interface DpmPlanConfig extends ScheduleConfig, SpacingConfig, SigmaConfig {
  /** 1, 2 or 3; the SDE algorithms have 1 and 2. */
  readonly solverOrder: number
  /** Lowers the order of the last two steps where there are fewer than 15. */
  readonly lowerOrderFinal: boolean
  /** Makes the last step first order at any number of steps. */
  readonly eulerAtFinal: boolean
  /** Evenly spaced in λ: DPM-Solver, arXiv 2206.00927, section 3.3. */
  readonly useLuLambdas: boolean
  /** Noise levels of a flow, x = (1 − σ)·x₀ + σ·ε. */
  readonly useFlowSigmas: boolean
  /** Shift s of a flow's levels, σ → s·σ/(1 + (s − 1)·σ). */
  readonly flowShift: number
  /** Whether the last step ends at σ = 0 ('++' only) or at the table's first σ. */
  readonly finalSigmasType: 'zero' | 'sigma_min'
  /** Leaves out timesteps with λ below this; −5.1 suits 'squaredcos_cap_v2'. */
  readonly lambdaMinClipped: number
}

/** The levels of a configured curve over the whole table, or null. */
export function curvedLevels(config: DpmPlanConfig, table: Float32Array, count: number): Levels | null {
  if (config.useFlowSigmas) {
    const levels = linspace(1, 1 / table.length, count + 1).map((alpha) => shiftSigma(config.flowShift, 1 - alpha))
    const sigmas = levels.toReversed().slice(0, -1)
    return { timesteps: sigmas.map((sigma) => sigma * table.length), sigmas }
  }
  const logs = table.map(Math.log)
  const sigmas = config.useLuLambdas
    ? linspace(0, 1, count).map((ramp) => Math.exp(logs.at(-1)! + ramp * (logs[0]! - logs.at(-1)!)))
    : curvedSigmas(config, table.at(-1)!, table[0]!, count)
  if (sigmas === null) return null
  const rounds = (config.useKarrasSigmas || config.useLuLambdas) && config.betaSchedule !== 'squaredcos_cap_v2'
  const found = sigmas.map(timestepFinder(table))
  return { timesteps: rounds ? found.map(roundHalfEven) : found, sigmas }
}

/** Spaced timesteps of which none has λ below the clip. */
export function spacedTimesteps(name: string, config: DpmPlanConfig, table: Float32Array, count: number): number[] {
  // λ = ln(α/σ) is minus the logarithm of the table's ratio.
  const last = table.findLastIndex((sigma) => -Math.log(sigma) >= config.lambdaMinClipped) + 1
  if (last > 0) return spacedBeyond(name, config, table.length, count, last)
  const got = `${config.lambdaMinClipped}, above the largest λ of the schedule`
  return refuse(`${name}.timesteps`, 'lambdaMinClipped to leave a timestep', got, 'lower it (−5.1 is usual)')
}

/**
 * σ at the end of the step and at the starts that its update looks back on, newest first; null where the step has no
 * length (two equal levels, as with more steps than timesteps) and so changes nothing.
 * @param outputs number of model outputs at hand, this step's among them
 */
export function sigmasOfUpdate(
  config: DpmPlanConfig,
  plan: SamplingPlan,
  step: number,
  outputs: number,
): number[] | null {
  const left = plan.timesteps.length - step
  const few = config.lowerOrderFinal && plan.timesteps.length < 15
  const final = left === 1 && (few || config.eulerAtFinal || config.finalSigmasType === 'zero')
  const order = Math.min(outputs, config.solverOrder, final ? 1 : left === 2 && few ? 2 : 3)
  const sigmas = plan.sigmas!.slice(step + 1 - order, step + 2).toReversed()
  if (sigmas[0] === sigmas[1]) return null
  // A divided difference over no length is undefined: look back only as far as levels differ.
  const equal = sigmas.findIndex((sigma, i) => i > 0 && sigma === sigmas[i - 1])
  return equal < 0 ? sigmas : sigmas.slice(0, equal)
}
