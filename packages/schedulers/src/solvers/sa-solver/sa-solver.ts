import { refuseConfig } from '../../errors.ts'
import { choice, flag, integer, numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { checkFlow, clippedCount, courseOf, flowFields, integrated, ownLevels, type FlowConfig } from '../../multistep/index.ts'
import { flowPredictionField, thresholdFields, type ModelPrediction, type ThresholdConfig } from '../../prediction/index.ts'
import { solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, spacedBeyond, vpSpace, type SigmaConfig } from '../../sigmas/index.ts'
import { spacingFields, type SpacingConfig } from '../../timesteps/index.ts'
import { saCoefficients } from './update.ts'

/** The options of {@link saSolver}, with the defaults of diffusers' SASolverScheduler. */
export interface SaSolverConfig extends ScheduleConfig, SpacingConfig, SigmaConfig, ThresholdConfig, FlowConfig {
  readonly predictionType: ModelPrediction
  /** Whether x₀ or ε is integrated. */
  readonly algorithmType: 'data_prediction' | 'noise_prediction'
  /** Order of the predictor, 1 to 4. */
  readonly predictorOrder: number
  /** Order of the corrector, 1 to 4. */
  readonly correctorOrder: number
  /**
   * How stochastic the steps from timesteps in [tauLow, tauHigh] are: 0 is the ODE, 1 the SDE of the reversed diffusion.
   * The steps elsewhere are those of the ODE. Stands for diffusers' tau_func, which no file can hold.
   */
  readonly tau: number
  readonly tauLow: number
  readonly tauHigh: number
  /** Lowers the order of the last steps. */
  readonly lowerOrderFinal: boolean
  /** Leaves out timesteps with λ below this; −5.1 suits 'squaredcos_cap_v2'. */
  readonly lambdaMinClipped: number
}

/**
 * SA-Solver: Adams' predictor and corrector for the diffusion SDE. Each step predicts the next sample from the last model
 * outputs and fresh noise, and the output there corrects that prediction, with the same noise, before the step after.
 * One model call a step.
 * @throws {ConfigError} on an unknown option or value, or options that exclude each other
 * Source: SA-Solver, arXiv 2309.05019, algorithm 1.
 */
export const saSolver: Solver<SaSolverConfig> = /* @__PURE__ */ solver<SaSolverConfig>({
  name: 'saSolver',
  classNames: ['SASolverScheduler'],
  refused: { variance_type: ['fixed_small', 'fixed_small_log', 'fixed_large', null], tau_func: [null] },
  fields: () => ({
    ...scheduleFields(),
    ...thresholdFields(),
    ...spacingFields('linspace'),
    ...sigmaFields(),
    ...flowFields(),
    predictionType: flowPredictionField(),
    algorithmType: choice('data_prediction', ['data_prediction', 'noise_prediction']),
    predictorOrder: integer(2, 1),
    correctorOrder: integer(2, 1),
    tau: numeric(1, 0),
    tauLow: numeric(200, 0),
    tauHigh: numeric(800, 0),
    lowerOrderFinal: flag(true),
    lambdaMinClipped: numeric(-Infinity),
  }),
  setup(config, name) {
    checkTogether(name, config)
    const { predictionType, predictorOrder, correctorOrder, lowerOrderFinal } = config
    const onData = config.algorithmType === 'data_prediction'
    const space = vpSpace(name, config)
    const { table, levelOf, levelsAt, methods } = space
    const tauAt = (timestep: number): number =>
      timestep >= config.tauLow && timestep <= config.tauHigh ? config.tau : 0

    return {
      ...methods,
      needsNoise: () => config.tau > 0,
      plan(request) {
        const own = ownLevels(name, config, table, request)
        // The reference repeats the last level of a curve, and its last step then changes nothing.
        if (own !== null) return courseOf(own, own.sigmas.at(-1)!)
        const spaced = (count: number): number[] =>
          spacedBeyond(name, config, table.length, count, clippedCount(name, table, config.lambdaMinClipped))
        return courseOf(request.by === 'count' ? levelsAt(spaced(request.count)) : space.chosen(request), table[0]!)
      },
      step(call) {
        const { linear, state, sample } = call
        const { plan, step, history, slots, numbers } = state
        const sigmas = plan.sigmas!
        const here = methods.level(state)
        const x0 = x0Of(call, config, here)
        const outputs = [integrated(call, predictionType, here, x0, onData), ...history.toReversed()]

        /** From x at entry `start` of the plan to the next, by outputs at entry `newest` and those before. */
        const update = (
          x: typeof sample,
          start: number,
          newest: number,
          order: number,
          noise: typeof sample | undefined,
        ): typeof sample => {
          if (sigmas[start] === sigmas[start + 1]) return x
          // Outputs at one level have no slope: look back only as far as levels differ.
          const behind = sigmas.slice(0, newest + 1).slice(-order).toReversed()
          const equal = behind.findIndex((sigma, i) => i > 0 && sigma === behind[i - 1])
          const nodes = (equal < 0 ? behind : behind.slice(0, equal)).map(levelOf)
          const [from, to] = [levelOf(sigmas[start]!), levelOf(sigmas[start + 1]!)]
          const weights = saCoefficients(onData, tauAt(plan.timesteps[start]!), from, to, nodes)
          return combine(linear, [
            [weights.sample, x],
            ...weights.outputs.map((weight, k) => [weight, outputs[k]!] as const),
            ...(noise === undefined ? [] : [[weights.noise, noise] as const]),
          ])
        }

        const last = slots['sample']
        const corrected = last === undefined ? sample : update(last, step - 1, step, numbers['order']!, slots['noise'])

        const left = lowerOrderFinal ? plan.timesteps.length - step : Infinity
        const order = Math.min(predictorOrder, left, outputs.length)
        const next = update(corrected, step, step, order, call.noise)
        return {
          sample: next,
          x0,
          history: outputs.slice(0, Math.max(predictorOrder, correctorOrder - 1)).toReversed(),
          slots: { sample: corrected, ...(call.noise === undefined ? {} : { noise: call.noise }) },
          numbers: { order: Math.min(correctorOrder, left + 1, outputs.length + 1) },
        }
      },
    }
  },
})

function checkTogether(name: string, config: SaSolverConfig): void {
  const { useFlowSigmas, predictionType, algorithmType } = config
  checkCurves(name, config, { useFlowSigmas })
  checkFlow(name, config)
  for (const option of ['predictorOrder', 'correctorOrder'] as const) {
    if (config[option] > 4) refuseConfig(name, `${option} from 1 to 4`, String(config[option]), 'lower it')
  }
  if (predictionType === 'flow_prediction' && algorithmType === 'noise_prediction') {
    refuseConfig(name, "algorithmType 'data_prediction' for flow_prediction", "'noise_prediction'", 'set it')
  }
}
