import { linspace, roundHalfEven } from '../../numeric/index.ts'
import type { Course, PlanRequest } from '../../run/index.ts'
import type { ScheduleConfig } from '../../schedule/index.ts'
import {
  curvedSigmas,
  dynamicShift,
  hasCurve,
  shiftSigma,
  spacedBeyond,
  stretchToTerminal,
  timestepFinder,
  type Levels,
  type SigmaConfig,
  type VpSpace,
} from '../../sigmas/index.ts'
import type { SpacingConfig } from '../../timesteps/index.ts'

/** The options that the levels of UniPC follow from. */
export interface UniPcPlanConfig extends ScheduleConfig, SpacingConfig, SigmaConfig {
  /** Noise levels of a flow, x = (1 − σ)·x₀ + σ·ε. */
  readonly useFlowSigmas: boolean
  /** Shift s of a flow's levels, σ → s·σ/(1 + (s − 1)·σ). */
  readonly flowShift: number
  /** Whether each run of a flow brings its own shift as `mu`. */
  readonly useDynamicShifting: boolean
  readonly timeShiftType: 'exponential'
  /** Level of the last step's start, to which a flow's others are stretched. */
  readonly shiftTerminal: number | null
  /** Ends of a curve of noise levels; null for those of the table. */
  readonly sigmaMin: number | null
  readonly sigmaMax: number | null
  /** Whether the last step ends at σ = 0 or at the smallest level before. */
  readonly finalSigmasType: 'zero' | 'sigma_min'
}

/** Pure noise has no λ: the first level of a flow stays this far from it. */
const margin = 1e-6

/** The plan of a run. */
export function unipcPlan(name: string, config: UniPcPlanConfig, space: VpSpace, request: PlanRequest): Course {
  const made = levelsOf(name, config, space, request)
  const smallest = hasCurve(config) || config.useFlowSigmas ? made.sigmas.at(-1)! : space.table[0]!
  const last = config.finalSigmasType === 'zero' ? 0 : smallest
  return {
    timesteps: made.timesteps.map(Math.trunc),
    sigmas: Array.from(Float32Array.from([...made.sigmas, last])),
  }
}

function levelsOf(name: string, config: UniPcPlanConfig, space: VpSpace, request: PlanRequest): Levels {
  const { table } = space
  const { useFlowSigmas, useKarrasSigmas, sigmaMax, sigmaMin } = config
  if (request.by === 'count' && hasCurve(config)) {
    const curved = curvedSigmas(config, sigmaMax ?? table.at(-1)!, sigmaMin ?? table[0]!, request.count)!
    if (useFlowSigmas && useKarrasSigmas) {
      // σ of x₀ + σ·ε, scaled to the flow's (1 − σ)·x₀ + σ·ε
      const sigmas = curved.map((sigma) => sigma / (1 + sigma))
      return { timesteps: sigmas.map((sigma) => sigma * table.length), sigmas }
    }
    const found = curved.map(timestepFinder(table))
    return { timesteps: useKarrasSigmas ? found.map(roundHalfEven) : found, sigmas: curved }
  }
  if (useFlowSigmas && request.by !== 'timesteps') {
    const sigmas = flowSigmas(name, config, table.length, request)
    return { timesteps: sigmas.map((sigma) => sigma * table.length), sigmas }
  }
  if (request.by !== 'count') return space.chosen(request)
  return space.levelsAt(spacedBeyond(name, config, table.length, request.count))
}

function flowSigmas(name: string, config: UniPcPlanConfig, trainSteps: number, request: PlanRequest): number[] {
  const plain =
    request.by === 'sigmas'
      ? request.sigmas
      : linspace(1, 1 / trainSteps, (request.by === 'count' ? request.count : 0) + 1).slice(0, -1)
  const shift = config.useDynamicShifting ? dynamicShift(name, config.timeShiftType, request.mu) : config.flowShift
  const shifted = plain.map((sigma) => shiftSigma(shift, sigma))
  const sigmas = config.shiftTerminal === null ? shifted : stretchToTerminal(shifted, config.shiftTerminal)
  return sigmas.map((sigma) => (Math.abs(sigma - 1) < margin ? sigma - margin : sigma))
}
