import { integer } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { impliedNoise, predictedNoise, predictionField, type PredictionType } from '../../prediction/index.ts'
import { currentSigma, nextSigma, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, sigmaSpace, type SigmaConfig } from '../../sigmas/index.ts'
import { spacingFields, type SpacingConfig } from '../../timesteps/index.ts'
import { lagrangeIntegrals } from './lagrange.ts'

/** The options of {@link lms}, with the defaults of diffusers' LMSDiscreteScheduler. */
export interface LmsConfig extends ScheduleConfig, SpacingConfig, SigmaConfig {
  readonly predictionType: PredictionType
  /** Number of slopes that a step looks at, its own among them; 1 to 8. */
  readonly order: number
}

/**
 * The linear multistep method of Adams and Bashforth on dx/dσ = ε: a step integrates the polynomial through its own
 * slope and those before it, over levels that need not be evenly spaced, and costs one model call at any order.
 *
 * A run that begins at a later step starts by the polynomials through as many slopes as it has. diffusers takes weights by
 * the place in the plan instead and leaves out the slopes that are not there, so that noise stays.
 * @throws {ConfigError} on an unknown option or value
 * Sources: Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, section III.1, on the ODE of Karras et
 * al., arXiv 2206.00364, equation 1.
 */
export const lms: Solver<LmsConfig> = /* @__PURE__ */ solver<LmsConfig>({
  name: 'lms',
  classNames: ['LMSDiscreteScheduler'],
  fields: () => ({
    ...scheduleFields(),
    ...spacingFields('linspace'),
    ...sigmaFields(),
    predictionType: predictionField(),
    order: integer(4, 1, 8),
  }),
  setup(config, name) {
    checkCurves(name, config)
    const { levels, methods } = sigmaSpace(name, config)

    return {
      ...methods,
      plan(request) {
        const { timesteps, sigmas } = levels(request)
        return { timesteps, sigmas: Array.from(Float32Array.from([...sigmas, 0])) }
      },
      step(call) {
        const { linear, state, prediction, sample, hooks } = call
        const level = { signal: 1, noise: currentSigma(state) }
        const x0 = x0Of(call, config, level)
        const slope =
          hooks?.x0 === undefined
            ? predictedNoise(linear, config.predictionType, level, prediction, sample)
            : impliedNoise(linear, level, x0, sample)
        const history = [...state.history, slope].slice(-config.order)
        const used = history.slice(-(state.step + 1))
        const nodes = state.plan.sigmas!.slice(state.step + 1 - used.length, state.step + 1)
        const weights = lagrangeIntegrals(nodes, level.noise, nextSigma(state))
        const terms = used.map((one, i) => [weights[i]!, one] as const)
        return { sample: combine(linear, [[1, sample], ...terms]), x0, history }
      },
    }
  },
})
