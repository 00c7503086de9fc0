import { refuseConfig } from '../../errors.ts'
import { choice, flag, integer } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import {
  acceptedParts,
  checkFlow,
  courseOf,
  exponentialMoments,
  integrated,
  multistepWeights,
  ownLevels,
  shiftedFlowFields,
  sigmasOfUpdate,
  type ShiftedFlowConfig,
} from '../../multistep/index.ts'
import { flowPredictionField, thresholdFields, type ModelPrediction, type ThresholdConfig } from '../../prediction/index.ts'
import { solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { checkCurves, lambda, sigmaFields, spacedBeyond, vpSpace, type SigmaConfig } from '../../sigmas/index.ts'
import { spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of {@link deisMultistep}, with the defaults of diffusers' DEISMultistepScheduler. */
export interface DeisConfig extends ScheduleConfig, SpacingConfig, SigmaConfig, ThresholdConfig, ShiftedFlowConfig {
  readonly predictionType: ModelPrediction
  /** 1, 2 or 3. */
  readonly solverOrder: number
  readonly algorithmType: 'deis'
  /** The time in which outputs are extrapolated: ln ρ, ρ = σ_t/α. */
  readonly solverType: 'logrho'
  /** Lowers the order of the last two steps where there are fewer than 15. */
  readonly lowerOrderFinal: boolean
}

/**
 * DEIS: the linear part of the ODE exactly, and ε as the polynomial in ln ρ through the outputs of this step and those
 * before, so that a step costs one model call at any order. Order 1 is DDIM.
 * @throws {ConfigError} on an unknown option or value, or options that exclude each other
 * Source: ρAB-DEIS of arXiv 2204.13902, extrapolating in ln ρ; the reference has it as logrho.
 */
export const deisMultistep: Solver<DeisConfig> = /* @__PURE__ */ solver<DeisConfig>({
  name: 'deisMultistep',
  classNames: ['DEISMultistepScheduler'],
  fields: () => ({
    ...scheduleFields(),
    ...thresholdFields(),
    ...spacingFields('linspace'),
    ...sigmaFields(),
    ...shiftedFlowFields(),
    predictionType: flowPredictionField(),
    solverOrder: integer(2, 1),
    algorithmType: choice('deis', ['deis'], { dpmsolver: 'deis', 'dpmsolver++': 'deis' }),
    solverType: choice('logrho', ['logrho'], { midpoint: 'logrho', heun: 'logrho', bh1: 'logrho', bh2: 'logrho' }),
    lowerOrderFinal: flag(true),
  }),
  setup(config, name) {
    const { solverOrder, predictionType, useFlowSigmas } = config
    checkCurves(name, config, { useFlowSigmas })
    checkFlow(name, config)
    if (solverOrder > 3) refuseConfig(name, 'solverOrder from 1 to 3', String(solverOrder), 'lower it')
    const space = vpSpace(name, config)
    const { table, levelOf, levelsAt, methods } = space

    return {
      ...methods,
      accepts: acceptedParts(config, space),
      plan(request) {
        const own = ownLevels(name, config, table, request)
        // The reference repeats the last level of a curve, and its last step then changes nothing.
        if (own !== null) return courseOf(own, own.sigmas.at(-1)!)
        const spaced = (count: number): number[] => spacedBeyond(name, config, table.length, count)
        return courseOf(request.by === 'count' ? levelsAt(spaced(request.count)) : space.chosen(request), table[0]!)
      },
      step(call) {
        const { linear, state, sample } = call
        const here = methods.level(state)
        const x0 = x0Of(call, config, here)
        const outputs = [integrated(call, predictionType, here, x0, false), ...state.history.toReversed()]
        const history = outputs.slice(0, solverOrder - 1).toReversed()
        const orders = { ...config, eulerAtFinal: false, finalSigmasType: 'sigma_min' } as const
        const sigmas = sigmasOfUpdate(orders, state.plan, state.step, outputs.length)
        if (sigmas === null) return { sample: combine(linear, [[1, sample]]), x0, history }

        const [end, ...before] = sigmas.map(levelOf)
        const h = lambda(end!) - lambda(here)
        const nodes = before.map((level) => (lambda(level) - lambda(here)) / h)
        const weights = multistepWeights(nodes, exponentialMoments(-h, nodes.length))
        const next = combine(linear, [
          [end!.signal / here.signal, sample],
          ...weights.map((weight, k) => [-end!.noise * h * weight, outputs[k]!] as const),
        ])
        return { sample: next, x0, history }
      },
    }
  },
})
