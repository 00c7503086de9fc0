import { clippedCount, courseOf, ownLevels, type OrderConfig, type ShiftedFlowConfig } from '../../multistep/index.ts'
import type { Course, PlanRequest } from '../../run/index.ts'
import type { ScheduleConfig } from '../../schedule/index.ts'
import { spacedBeyond, type SigmaConfig, type VpSpace } from '../../sigmas/index.ts'
import type { SpacingConfig } from '../../timesteps/index.ts'

/** The options that levels and orders of DPM-Solver's steps follow from. */
export interface DpmPlanConfig extends ScheduleConfig, SpacingConfig, SigmaConfig, ShiftedFlowConfig, OrderConfig {
  /** Evenly spaced in λ: DPM-Solver, arXiv 2206.00927, section 3.3. */
  readonly useLuLambdas: boolean
  /** Leaves out timesteps with λ below this; −5.1 suits 'squaredcos_cap_v2'. */
  readonly lambdaMinClipped: number
}

/** The levels of a run. */
export function dpmCourse(name: string, config: DpmPlanConfig, space: VpSpace, request: PlanRequest): Course {
  const { table } = space
  const { useLuLambdas } = config
  const rounds = (config.useKarrasSigmas || useLuLambdas) && config.betaSchedule !== 'squaredcos_cap_v2'
  const spaced = (count: number): number[] =>
    spacedBeyond(name, config, table.length, count, clippedCount(name, table, config.lambdaMinClipped))
  // Even steps of λ are even steps of ln σ.
  const curves = useLuLambdas ? { ...config, useExponentialSigmas: true } : config
  const levels =
    ownLevels(name, curves, table, request, rounds) ??
    (request.by === 'count' ? space.levelsAt(spaced(request.count)) : space.chosen(request))
  return courseOf(levels, config.finalSigmasType === 'zero' ? 0 : table[0]!)
}
