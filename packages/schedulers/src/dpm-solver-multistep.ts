import { ConfigError, SchedulerError } from './errors.ts'
import { choice, flag, integer, numeric, resolve, type Fields } from './fields.ts'
import { dpmCoefficients, type DpmAlgorithm } from './dpm-update.ts'
import { combine, type Linear, type Term } from './linear.ts'
import { linspace, roundHalfEven } from './numeric.ts'
import { cleanSample, impliedNoise, predictedNoise, thresholdFields, type ThresholdConfig } from './prediction.ts'
import { advance, begin, checkState, mix, required, velocity } from './run.ts'
import { scheduleFields, scheduleOf, sigmaAt, sigmaTable, type NoiseLevel } from './schedule.ts'
import type { ModelPrediction, SamplingPlan, Scheduler, SchedulerState, SolverConfig, Steps } from './scheduler.ts'
import { checkAtMostOne, curvedSigmas, sigmaFields, timestepFinder, type SigmaConfig } from './sigmas.ts'
import { checkCount, checkTimesteps, leading, spacingFields, trailing, type SpacingConfig } from './spacing.ts'

/** The options of {@link dpmSolverMultistep}, with the defaults of diffusers' DPMSolverMultistepScheduler. */
export interface DpmConfig extends SolverConfig, ThresholdConfig, SpacingConfig, SigmaConfig {
  readonly predictionType: ModelPrediction
  readonly algorithmType: DpmAlgorithm
  /** 1, 2 or 3; the SDE algorithms have 1 and 2. */
  readonly solverOrder: number
  /** Form of the second-order update. */
  readonly solverType: 'midpoint' | 'heun'
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

/** The options of {@link dpmSolverMultistep}. */
export const dpmFields: Fields<DpmConfig> = {
  ...scheduleFields,
  ...thresholdFields,
  ...spacingFields('linspace'),
  ...sigmaFields,
  predictionType: choice('prediction_type', 'epsilon', ['epsilon', 'v_prediction', 'sample', 'flow_prediction']),
  algorithmType: choice('algorithm_type', 'dpmsolver++', [
    'dpmsolver',
    'dpmsolver++',
    'sde-dpmsolver',
    'sde-dpmsolver++',
  ]),
  solverOrder: integer('solver_order', 2, 1),
  solverType: choice('solver_type', 'midpoint', ['midpoint', 'heun']),
  lowerOrderFinal: flag('lower_order_final', true),
  eulerAtFinal: flag('euler_at_final', false),
  useLuLambdas: flag('use_lu_lambdas', false),
  useFlowSigmas: flag('use_flow_sigmas', false),
  flowShift: numeric('flow_shift', 1, 1e-6),
  finalSigmasType: choice('final_sigmas_type', 'zero', ['zero', 'sigma_min']),
  lambdaMinClipped: numeric('lambda_min_clipped', -Infinity),
}

// The smallest ᾱ that keeps σ finite: float16's smallest subnormal, σ = 4096.
const zeroSnrAlphaBar = 2 ** -24
const nameOf = 'dpmSolverMultistep'

/**
 * DPM-Solver and DPM-Solver++ in multistep form: each step reuses the model outputs of the steps before, so it costs
 * one model call at any order. The default is DPM-Solver++(2M). The SDE algorithms draw noise at every step.
 * @throws {ConfigError} on an unknown option or value, or options that exclude each other
 * Sources: arXiv 2206.00927 and 2211.01095.
 */
export function dpmSolverMultistep(options: Partial<DpmConfig> = {}): Scheduler<DpmConfig> {
  const config = resolve(nameOf, dpmFields, options)
  checkTogether(config)
  const schedule = scheduleOf(config, zeroSnrAlphaBar)
  const table = sigmaTable(nameOf, schedule)
  const onData = config.algorithmType.endsWith('++')
  const stochastic = config.algorithmType.startsWith('sde')

  const timesteps = (steps: Steps): SamplingPlan => {
    if (typeof steps === 'number') checkCount(nameOf, steps, schedule.trainSteps)
    const made = typeof steps === 'number' ? (curve(config, table, steps) ?? spaced(steps)) : chosen(steps.timesteps)
    const last = config.finalSigmasType === 'zero' ? 0 : table[0]!
    return {
      solver: nameOf,
      timesteps: made.timesteps.map(Math.trunc),
      sigmas: Array.from(Float32Array.from([...made.sigmas, last])),
    }
  }
  const chosen = (list: readonly number[]): Curve => {
    const { useKarrasSigmas, useExponentialSigmas, useBetaSigmas, useLuLambdas, useFlowSigmas } = config
    if (useKarrasSigmas || useExponentialSigmas || useBetaSigmas || useLuLambdas || useFlowSigmas) {
      throw new SchedulerError(
        `${nameOf}.timesteps: expected a number of steps, since this configuration makes its own timesteps, ` +
          'got a list; pass a number or turn the sigma curve off',
      )
    }
    checkTimesteps(nameOf, list, schedule.trainSteps, true)
    return { timesteps: list, sigmas: list.map((timestep) => table[timestep]!) }
  }
  const spaced = (count: number): Curve => {
    const list = spacedTimesteps(config, table, count)
    return { timesteps: list, sigmas: list.map((timestep) => sigmaAt(table, timestep)) }
  }
  const levelOf = (sigma: number): NoiseLevel => {
    if (config.useFlowSigmas) return { signal: 1 - sigma, noise: sigma }
    const signal = 1 / Math.hypot(sigma, 1)
    return { signal, noise: sigma * signal }
  }
  const level = (state: SchedulerState<unknown>): NoiseLevel => {
    checkState(nameOf, state)
    return levelOf(state.plan.sigmas![state.step]!)
  }
  const levelAt = (timestep: number): NoiseLevel =>
    levelOf(config.useFlowSigmas ? timestep / schedule.trainSteps : sigmaAt(table, timestep))

  /** What the solver integrates: x₀, or the ε that agrees with it. */
  const output = <T>(linear: Linear<T>, here: NoiseLevel, x0: T, prediction: T, sample: T, replaced: boolean): T => {
    if (onData) return x0
    if (replaced) return impliedNoise(linear, here, x0, sample)
    return predictedNoise(linear, config.predictionType, here, prediction, sample)
  }

  return Object.freeze<Scheduler<DpmConfig>>({
    name: nameOf,
    config,
    schedule,
    timesteps,
    begin: (steps, startAt = 0) => begin(nameOf, timesteps, steps, startAt),
    inputScale: () => 1,
    initNoiseSigma: () => 1,
    level,
    needsNoise(state) {
      checkState(nameOf, state)
      return stochastic
    },
    step(linear, state, prediction, sample, noise, hooks) {
      const here = level(state)
      const x0 = cleanSample(linear, config, here, prediction, sample, hooks)
      const newest = output(linear, here, x0, prediction, sample, hooks?.x0 !== undefined)
      const outputs = [newest, ...state.history.toReversed()]
      const sigmas = sigmasOfUpdate(config, state, outputs.length)
      const fresh = stochastic ? required(nameOf, noise) : undefined
      const { sample: keep, outputs: weights, noise: spread } =
        sigmas === null
          ? { sample: 1, outputs: [], noise: 0 }
          : dpmCoefficients(config.algorithmType, config.solverType, sigmas.map(levelOf))
      const terms: Term<typeof sample>[] = [[keep, sample], ...weights.map((w, k) => [w, outputs[k]!] as const)]
      const next = combine(linear, fresh === undefined ? terms : [...terms, [spread, fresh]])
      const history = [...state.history, newest].slice(Math.max(state.history.length + 2 - config.solverOrder, 0))
      return { state: advance(state, history), sample: next, x0 }
    },
    addNoise: (linear, x0, noise, at) => mix(linear, typeof at === 'number' ? levelAt(at) : level(at), x0, noise),
    velocity: (linear, x0, noise, timestep) => velocity(linear, schedule, x0, noise, timestep),
  })
}

/** Timesteps and the noise levels before each of their steps. */
interface Curve {
  readonly timesteps: readonly number[]
  readonly sigmas: readonly number[]
}

/** The levels of a configured curve over the whole table, or null. */
function curve(config: DpmConfig, table: Float32Array, count: number): Curve | null {
  if (config.useFlowSigmas) {
    const shift = config.flowShift
    const levels = linspace(1, 1 / table.length, count + 1).map((alpha) => 1 - alpha)
    const sigmas = levels.map((sigma) => (shift * sigma) / (1 + (shift - 1) * sigma)).toReversed().slice(0, -1)
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

/** One more timestep is spaced than steps are taken, and the last left out: the run ends beyond it. */
function spacedTimesteps(config: DpmConfig, table: Float32Array, count: number): number[] {
  // λ = ln(α/σ) is minus the logarithm of the table's ratio.
  const last = table.findLastIndex((sigma) => -Math.log(sigma) >= config.lambdaMinClipped) + 1
  if (last === 0) {
    throw new SchedulerError(
      `${nameOf}.timesteps: expected lambdaMinClipped to leave a timestep, got ${config.lambdaMinClipped}, above the ` +
        'largest λ of the schedule; lower it (−5.1 is usual)',
    )
  }
  switch (config.timestepSpacing) {
    case 'linspace':
      return linspace(0, last - 1, count + 1).map(roundHalfEven).toReversed().slice(0, -1)
    case 'leading': {
      const ratio = Math.floor(last / (count + 1))
      if (ratio > 0) return leading(ratio, count + 1, config.stepsOffset).slice(0, -1)
      throw new SchedulerError(
        `${nameOf}.timesteps: expected fewer than ${last} steps with 'leading' spacing, got ${count}; ` +
          "take fewer, or space by 'trailing'",
      )
    }
    case 'trailing':
      return trailing(last, table.length / count, count)
    default:
      return config.timestepSpacing satisfies never
  }
}

/**
 * σ at the end of the step and at the starts that its update looks back on, newest first; null where the step has no
 * length (two equal levels, as with more steps than timesteps) and so changes nothing.
 */
function sigmasOfUpdate(config: DpmConfig, state: SchedulerState<unknown>, outputs: number): number[] | null {
  const { plan, step } = state
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

function checkTogether(config: DpmConfig): void {
  const { useKarrasSigmas, useExponentialSigmas, useBetaSigmas, useLuLambdas, useFlowSigmas } = config
  checkAtMostOne(nameOf, { useKarrasSigmas, useExponentialSigmas, useBetaSigmas, useLuLambdas, useFlowSigmas })
  const { algorithmType, solverOrder, finalSigmasType, predictionType } = config
  const highest = algorithmType.startsWith('sde') ? 2 : 3
  if (solverOrder > highest) {
    throw new ConfigError(
      `${nameOf}: expected solverOrder from 1 to ${highest} for ${algorithmType}, got ${solverOrder}; lower it`,
    )
  }
  if (!algorithmType.endsWith('++') && finalSigmasType === 'zero') {
    throw new ConfigError(
      `${nameOf}: expected finalSigmasType 'sigma_min' for ${algorithmType}, whose integral has no end at σ = 0, ` +
        "got 'zero'; set it, or take the '++' algorithm",
    )
  }
  if (predictionType === 'flow_prediction' && !useFlowSigmas) {
    throw new ConfigError(
      `${nameOf}: expected useFlowSigmas with predictionType 'flow_prediction', got false; turn it on`,
    )
  }
}
