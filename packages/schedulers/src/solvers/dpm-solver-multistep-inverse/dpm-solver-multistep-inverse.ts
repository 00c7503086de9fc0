import { refuseConfig } from '../../errors.ts'
import { choice, flag, integer, numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { dpmCoefficients, integrated, sigmasOfUpdate } from '../../multistep/index.ts'
import { predictionField, thresholdFields, type PredictionType, type ThresholdConfig } from '../../prediction/index.ts'
import { solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, vpSpace } from '../../sigmas/index.ts'
import { spacingFields } from '../../timesteps/index.ts'
import { inverseCourse, type InversePlanConfig } from './plan.ts'

/** The options of {@link dpmSolverMultistepInverse}, with the defaults of diffusers' DPMSolverMultistepInverseScheduler. */
export interface DpmInverseConfig extends ScheduleConfig, InversePlanConfig, ThresholdConfig {
  readonly predictionType: PredictionType
  /** Which integral a step approximates: of ε ('dpmsolver') or of x₀ ('++'). */
  readonly algorithmType: 'dpmsolver' | 'dpmsolver++'
  /** 1, 2 or 3. */
  readonly solverOrder: number
  /** Form of the second-order update. */
  readonly solverType: 'midpoint' | 'heun'
  /** Lowers the order of the last two steps where there are fewer than 15. */
  readonly lowerOrderFinal: boolean
  /** Makes the last step first order at any number of steps. */
  readonly eulerAtFinal: boolean
}

/**
 * DPM-Solver in multistep form from the image to the noise: the same ODE with rising timesteps, so that a later run of
 * {@link dpmSolverMultistep} from the result comes back to the image, as DDIM's inversion for edits does.
 *
 * The SDE algorithms are refused, for noise cannot be taken back, and so are flows, whose levels the reference lets
 * fall here too.
 * @throws {ConfigError} on an unknown option or value, or options that exclude each other
 * Sources: arXiv 2206.00927 and 2211.01095; the inversion is that of arXiv 2211.09794 for DDIM.
 */
export const dpmSolverMultistepInverse: Solver<DpmInverseConfig> = /* @__PURE__ */ solver<DpmInverseConfig>({
  name: 'dpmSolverMultistepInverse',
  classNames: ['DPMSolverMultistepInverseScheduler'],
  refused: {
    variance_type: ['fixed_small', 'fixed_small_log', 'fixed_large', null],
    use_flow_sigmas: [false, null],
  },
  fields: () => ({
    ...scheduleFields(),
    ...thresholdFields(),
    ...spacingFields('linspace'),
    ...sigmaFields(),
    predictionType: predictionField(),
    algorithmType: choice('dpmsolver++', ['dpmsolver', 'dpmsolver++'], { deis: 'dpmsolver++' }),
    solverOrder: integer(2, 1),
    solverType: choice('midpoint', ['midpoint', 'heun'], { logrho: 'midpoint', bh1: 'midpoint', bh2: 'midpoint' }),
    lowerOrderFinal: flag(true),
    eulerAtFinal: flag(false),
    lambdaMinClipped: numeric(-Infinity),
  }),
  setup(config, name) {
    checkCurves(name, config)
    const { algorithmType, solverType, predictionType, solverOrder } = config
    if (solverOrder > 3) refuseConfig(name, 'solverOrder from 1 to 3', String(solverOrder), 'lower it')
    const space = vpSpace(name, config)
    const { levelOf, methods } = space
    const orders = { ...config, finalSigmasType: 'sigma_min' } as const

    return {
      ...methods,
      rises: true,
      plan: (request) => inverseCourse(name, config, space, request),
      step(call) {
        const { linear, state, sample } = call
        const here = methods.level(state)
        const x0 = x0Of(call, config, here)
        const outputs = [integrated(call, predictionType, here, x0, algorithmType !== 'dpmsolver'), ...state.history.toReversed()]
        const history = outputs.slice(0, solverOrder - 1).toReversed()
        const sigmas = sigmasOfUpdate(orders, state.plan, state.step, outputs.length)
        if (sigmas === null) return { sample: combine(linear, [[1, sample]]), x0, history }
        const weights = dpmCoefficients(algorithmType, solverType, sigmas.map(levelOf))
        const next = combine(linear, [
          [weights.sample, sample],
          ...weights.outputs.map((weight, k) => [weight, outputs[k]!] as const),
        ])
        return { sample: next, x0, history }
      },
    }
  },
})
