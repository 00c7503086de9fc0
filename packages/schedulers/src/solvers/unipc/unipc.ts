import { refuseConfig } from '../../errors.ts'
import { choice, flag, integer, integers, numeric, optionalNumber } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { checkFlow } from '../../multistep/index.ts'
import {
  flowPredictionField,
  impliedNoise,
  predictedNoise,
  thresholdFields,
  type ModelPrediction,
  type ThresholdConfig,
} from '../../prediction/index.ts'
import { solver, x0Of, type SchedulerState, type Solver } from '../../run/index.ts'
import { scheduleFields, type NoiseLevel } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, vpSpace } from '../../sigmas/index.ts'
import { spacingFields } from '../../timesteps/index.ts'
import { unipcPlan, type UniPcPlanConfig } from './plan.ts'
import { uniPcCoefficients } from './update.ts'

/** The options of {@link uniPc}, with the defaults of diffusers' UniPCMultistepScheduler. */
export interface UniPcConfig extends UniPcPlanConfig, ThresholdConfig {
  readonly predictionType: ModelPrediction
  /** Order of the predictor, 1 to 8; the corrector's accuracy is one more. */
  readonly solverOrder: number
  /** B(h) of the paper. */
  readonly solverType: 'bh1' | 'bh2'
  /** Whether x₀ is integrated rather than ε. */
  readonly predictX0: boolean
  /** Lowers the order of the last steps. */
  readonly lowerOrderFinal: boolean
  /** Steps, counted from 0, whose result is not corrected. */
  readonly disableCorrector: readonly number[]
}

/**
 * UniPC: each step predicts the next sample from the last model outputs, and the output there corrects that prediction
 * before the step after, at no further model call.
 * @throws {ConfigError} on an unknown option or value, or options that exclude each other
 * Source: UniPC, arXiv 2302.04867.
 */
export const uniPc: Solver<UniPcConfig> = /* @__PURE__ */ solver<UniPcConfig>({
  name: 'uniPc',
  classNames: ['UniPCMultistepScheduler'],
  refused: { solver_p: [null] },
  fields: () => ({
    ...scheduleFields(),
    ...thresholdFields(),
    ...spacingFields('linspace'),
    ...sigmaFields(),
    predictionType: flowPredictionField(),
    solverOrder: integer(2, 1, 8),
    solverType: choice('bh2', ['bh1', 'bh2'], { midpoint: 'bh2', heun: 'bh2', logrho: 'bh2' }),
    predictX0: flag(true),
    lowerOrderFinal: flag(true),
    disableCorrector: integers(),
    useFlowSigmas: flag(false),
    flowShift: numeric(1, 1e-6),
    useDynamicShifting: flag(false),
    timeShiftType: choice('exponential', ['exponential']),
    shiftTerminal: optionalNumber(1),
    sigmaMin: optionalNumber(),
    sigmaMax: optionalNumber(),
    finalSigmasType: choice('zero', ['zero', 'sigma_min']),
  }),
  setup(config, name) {
    checkTogether(name, config)
    const space = vpSpace(name, config)
    const { levelOf, methods } = space
    const { solverOrder, predictX0, predictionType, useFlowSigmas, useDynamicShifting, useKarrasSigmas } = config
    const flowAccepts = useDynamicShifting ? (['sigmas', 'mu'] as const) : (['sigmas'] as const)

    /** The levels of an update that ends at entry `end` of the plan, as far back as they differ; none if it has no length. */
    const levels = (state: SchedulerState<unknown>, end: number, order: number): NoiseLevel[] => {
      const sigmas = state.plan.sigmas!.slice(end - order, end + 1).toReversed()
      const equal = sigmas.findIndex((sigma, i) => i > 0 && sigma === sigmas[i - 1])
      return (equal < 0 ? sigmas : sigmas.slice(0, equal)).map(levelOf)
    }

    return {
      ...methods,
      accepts: useFlowSigmas && !useKarrasSigmas ? flowAccepts : methods.accepts,
      plan: (request) => unipcPlan(name, config, space, request),
      step(call) {
        const { linear, state, prediction, sample, hooks } = call
        const { plan, step, history, slots } = state
        const here = methods.level(state)
        const x0 = x0Of(call, config, here)
        const epsilon = (): typeof sample =>
          hooks?.x0 === undefined
            ? predictedNoise(linear, predictionType, here, prediction, sample)
            : impliedNoise(linear, here, x0, sample)
        const newest = predictX0 ? x0 : epsilon()

        /** One update from x over the given levels, with outputs newest first and, for a corrector, the end's. */
        const update = (
          x: typeof sample,
          over: readonly NoiseLevel[],
          outputs: readonly (typeof sample)[],
          end?: typeof sample,
        ): typeof sample => {
          const weights = uniPcCoefficients(config, over, end !== undefined)
          return combine(linear, [
            [weights.sample, x],
            ...weights.outputs.map((weight, k) => [weight, outputs[k]!] as const),
            ...(end === undefined ? [] : [[weights.end, end] as const]),
          ])
        }

        const last = slots['sample']
        const behind = last === undefined ? [] : levels(state, step, state.numbers['order']!)
        const corrects = last !== undefined && behind.length > 1 && !config.disableCorrector.includes(step - 1)
        const corrected = corrects ? update(last, behind, history.toReversed(), newest) : sample

        const outputs = [...history, newest].slice(-solverOrder)
        const left = plan.timesteps.length - step
        const highest = plan.sigmas![step + 1] === 0 ? 1 : config.lowerOrderFinal ? left : solverOrder
        const order = Math.min(solverOrder, outputs.length, highest)
        const ahead = levels(state, step + 1, order)
        const next = ahead.length > 1 ? update(corrected, ahead, outputs.toReversed()) : corrected
        return { sample: next, x0, history: outputs, slots: { sample: corrected }, numbers: { order } }
      },
    }
  },
})

function checkTogether(name: string, config: UniPcConfig): void {
  checkCurves(name, config)
  checkFlow(name, config)
  const { predictionType, useFlowSigmas, predictX0, shiftTerminal } = config
  if (!useFlowSigmas && shiftTerminal !== null) refuseConfig(name, 'useFlowSigmas for shiftTerminal', 'false', 'turn it on')
  if (!predictX0 && predictionType === 'flow_prediction') {
    refuseConfig(name, 'predictX0 for flow_prediction', 'false', 'turn it on')
  }
}
