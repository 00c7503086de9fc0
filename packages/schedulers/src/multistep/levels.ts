import { refuse, refuseConfig } from '../errors.ts'
import { choice, flag, numeric, type Fields } from '../config/index.ts'
import { linspace, roundHalfEven } from '../numeric/index.ts'
import type { ModelPrediction } from '../prediction/index.ts'
import type { Course, PlanRequest, StepsPart } from '../run/index.ts'
import {
  curvedSigmas,
  dynamicShift,
  shiftSigma,
  timestepFinder,
  type Levels,
  type SigmaConfig,
  type VpSpace,
} from '../sigmas/index.ts'

// The levels that the solvers on x = α·x₀ + σ_t·ε plan by, alike in DPM-Solver's forms, DEIS and SA-Solver.

/** The options of a flow's noise levels. */
export interface FlowConfig {
  /** Noise levels of a flow, x = (1 − σ)·x₀ + σ·ε. */
  readonly useFlowSigmas: boolean
  /** Shift s of a flow's levels, σ → s·σ/(1 + (s − 1)·σ). */
  readonly flowShift: number
}

/** The options of a flow whose shift a run may bring. */
export interface ShiftedFlowConfig extends FlowConfig {
  /** Whether each run of a flow brings its own shift as `mu`. */
  readonly useDynamicShifting: boolean
  readonly timeShiftType: 'exponential'
}

/** The options of a flow's noise levels. */
export function flowFields(): Fields<FlowConfig> {
  return { useFlowSigmas: flag(false), flowShift: numeric(1, 1e-6) }
}

/** The options of a flow whose shift a run may bring. */
export function shiftedFlowFields(): Fields<ShiftedFlowConfig> {
  return {
    ...flowFields(),
    useDynamicShifting: flag(false),
    timeShiftType: choice('exponential', ['exponential']),
  }
}

type FlowChoice = FlowConfig & { readonly useDynamicShifting?: boolean }

/** Checks that what asks for a flow's levels has them. */
export function checkFlow(name: string, config: FlowChoice & { readonly predictionType: ModelPrediction }): void {
  const { useFlowSigmas, useDynamicShifting, predictionType } = config
  if (useFlowSigmas && predictionType === 'v_prediction') {
    // v is of samples with signal² + noise² = 1, which a flow's are not; diffusers goes on with numbers that are neither's.
    refuseConfig(name, 'a flow_prediction, epsilon or sample for useFlowSigmas', "'v_prediction'", 'say what the model predicts')
  }
  if (useFlowSigmas || (!useDynamicShifting && predictionType !== 'flow_prediction')) return
  refuseConfig(name, 'useFlowSigmas for flow_prediction or useDynamicShifting', 'false', 'turn it on')
}

/** What a request may hold besides the count. */
export function acceptedParts(config: FlowChoice, space: VpSpace): readonly StepsPart[] {
  return config.useDynamicShifting ? ['mu'] : space.methods.accepts
}

/**
 * The levels of a flow or of a configured curve over the whole table; null where timesteps decide.
 * @param rounds whether the timesteps of a curve are rounded to the nearest, not down
 */
export function ownLevels(
  name: string,
  config: FlowChoice & SigmaConfig,
  table: Float32Array,
  request: PlanRequest,
  rounds: boolean = config.useKarrasSigmas,
): Levels | null {
  if (request.by !== 'count') return null
  const { count } = request
  if (config.useFlowSigmas) {
    const shift = config.useDynamicShifting ? dynamicShift(name, 'exponential', request.mu) : config.flowShift
    const levels = linspace(1, 1 / table.length, count + 1).map((alpha) => shiftSigma(shift, 1 - alpha))
    const sigmas = levels.toReversed().slice(0, -1)
    return { timesteps: sigmas.map((sigma) => sigma * table.length), sigmas }
  }
  const sigmas = curvedSigmas(config, table.at(-1)!, table[0]!, count)
  if (sigmas === null) return null
  const found = sigmas.map(timestepFinder(table))
  return { timesteps: rounds ? found.map(roundHalfEven) : found, sigmas }
}

/** How many training timesteps, counted from 0, have λ of at least `lowest`. */
export function clippedCount(name: string, table: Float32Array, lowest: number): number {
  // λ = ln(α/σ) is minus the logarithm of the table's ratio.
  const count = table.findLastIndex((sigma) => -Math.log(sigma) >= lowest) + 1
  if (count > 0) return count
  return refuse(`${name}.timesteps`, 'lambdaMinClipped to leave a timestep', String(lowest), 'lower it (-5.1 is usual)')
}

/** A plan over levels whose last step ends at `last`; levels are float32, as in the reference. */
export function courseOf({ timesteps, sigmas }: Levels, last: number): Course {
  return { timesteps: timesteps.map(Math.trunc), sigmas: Array.from(Float32Array.from([...sigmas, last])) }
}
