import { combine, type Term } from '../../linear/index.ts'
import { clipFields, clipTo, predictionField, type ClipConfig, type PredictionType } from '../../prediction/index.ts'
import { currentSigma, nextSigma, solver, x0Of, type Solver } from '../../run/index.ts'
import { scheduleFields, type ScheduleConfig } from '../../schedule/index.ts'
import { checkCurves, sigmaFields, sigmaSpace, type SigmaConfig } from '../../sigmas/index.ts'
import { spacingFields, type SpacingConfig } from '../../timesteps/index.ts'

/** The options of {@link heun}, with the defaults of diffusers' HeunDiscreteScheduler. */
export interface HeunConfig extends ScheduleConfig, SpacingConfig, SigmaConfig, ClipConfig {
  readonly predictionType: PredictionType
}

/**
 * Heun's second-order method on dx/dσ = ε: a step to the next level, another call of the model there, and the step again
 * with the mean of both slopes. The last step, to σ = 0, is Euler's and takes one call.
 * @throws {ConfigError} on an unknown option or value
 * Source: Karras et al., arXiv 2206.00364, algorithm 1 without churn.
 */
export const heun: Solver<HeunConfig> = /* @__PURE__ */ solver<HeunConfig>({
  name: 'heun',
  classNames: ['HeunDiscreteScheduler'],
  fields: () => ({
    ...scheduleFields({ betaStart: 0.00085, betaEnd: 0.012 }),
    ...spacingFields('linspace'),
    ...sigmaFields(),
    ...clipFields(false),
    predictionType: predictionField(),
  }),
  setup(config, name) {
    checkCurves(name, config)
    const { levels, methods } = sigmaSpace(name, config)

    return {
      ...methods,
      plan(request) {
        const { timesteps, sigmas } = levels(request)
        // Each level but the first is called at twice: as the end of a step and as the start of the next.
        const twice = (list: readonly number[]): number[] => list.flatMap((one, i) => (i === 0 ? [one] : [one, one]))
        return {
          timesteps: twice(timesteps),
          sigmas: [...twice(Array.from(Float32Array.from(sigmas))), 0],
          starts: timesteps.map((_, i) => 2 * i),
        }
      },
      step(call) {
        const { linear, state, sample } = call
        const sigma = currentSigma(state)
        const x0 = x0Of(call, config, { signal: 1, noise: sigma }, clipTo(linear, config))
        const start = state.slots['sample']
        if (start === undefined) {
          const ratio = nextSigma(state) / sigma
          const next = combine(linear, [
            [ratio, sample],
            [1 - ratio, x0],
          ])
          return { sample: next, x0, slots: { sample, x0 } }
        }
        // x' = s + (σ₁ − σ₀)·½·((s − x₀)/σ₀ + (x − x₀′)/σ₁), with s, x₀ from the step's start and x, x₀′ from its end
        const before = state.plan.sigmas![state.step - 1]!
        const [first, second] = [(sigma - before) / (2 * before), (sigma - before) / (2 * sigma)]
        const terms: Term<typeof sample>[] = [
          [1 + first, start],
          [-first, state.slots['x0']!],
          [second, sample],
          [-second, x0],
        ]
        return { sample: combine(linear, terms), x0 }
      },
    }
  },
})
