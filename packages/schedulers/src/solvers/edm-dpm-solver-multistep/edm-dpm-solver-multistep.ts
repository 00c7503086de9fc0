import { refuseConfig } from '../../errors.ts'
import { choice, flag, integer } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { dpmCoefficients, sigmasOfUpdate } from '../../multistep/index.ts'
import { thresholdFields, type ThresholdConfig } from '../../prediction/index.ts'
import { currentSigma, noiseTerm, solver, type Solver } from '../../run/index.ts'
import { edmFields, edmSpace, type EdmConfig } from '../../sigmas/index.ts'

/** The options of {@link edmDpmSolverMultistep}, with the defaults of diffusers' EDMDPMSolverMultistepScheduler. */
export interface EdmDpmConfig extends EdmConfig, ThresholdConfig {
  readonly algorithmType: 'dpmsolver++' | 'sde-dpmsolver++'
  /** 1, 2 or 3; the SDE algorithm has 1 and 2. */
  readonly solverOrder: number
  /** Form of the second-order update. */
  readonly solverType: 'midpoint' | 'heun'
  /** Lowers the order of the last two steps where there are fewer than 15. */
  readonly lowerOrderFinal: boolean
  /** Makes the last step first order at any number of steps. */
  readonly eulerAtFinal: boolean
}

/**
 * DPM-Solver++ in multistep form for preconditioned models, on samples x = x₀ + σ·ε: the model is given
 * `sample · inputScale(state)` and told ¼·ln σ. The SDE algorithm draws noise at every step.
 * @throws {ConfigError} on an unknown option or value, or options that exclude each other
 * Sources: DPM-Solver++, arXiv 2211.01095; Karras et al., arXiv 2206.00364.
 */
export const edmDpmSolverMultistep: Solver<EdmDpmConfig, null> = /* @__PURE__ */ solver<EdmDpmConfig, null>({
  name: 'edmDpmSolverMultistep',
  classNames: ['EDMDPMSolverMultistepScheduler'],
  process: 'edm',
  fields: () => ({
    ...edmFields(),
    ...thresholdFields(),
    algorithmType: choice('dpmsolver++', ['dpmsolver++', 'sde-dpmsolver++'], { deis: 'dpmsolver++' }),
    solverOrder: integer(2, 1),
    solverType: choice('midpoint', ['midpoint', 'heun'], { logrho: 'midpoint', bh1: 'midpoint', bh2: 'midpoint' }),
    lowerOrderFinal: flag(true),
    eulerAtFinal: flag(false),
  }),
  setup(config, name) {
    const { algorithmType, solverType, solverOrder } = config
    const stochastic = algorithmType === 'sde-dpmsolver++'
    const highest = stochastic ? 2 : 3
    if (solverOrder > highest) {
      refuseConfig(name, `solverOrder from 1 to ${highest} for ${algorithmType}`, String(solverOrder), 'lower it')
    }
    const { plan, clean, methods } = edmSpace(name, config, true)

    return {
      ...methods,
      plan,
      needsNoise: () => stochastic,
      step(call) {
        const { linear, state, sample } = call
        const x0 = clean(call, currentSigma(state), sample)
        const history = [...state.history, x0].slice(-solverOrder)
        const sigmas = sigmasOfUpdate(config, state.plan, state.step, history.length)
        if (sigmas === null) return { sample: combine(linear, [[1, sample]]), x0, history }
        const levels = sigmas.map((noise) => ({ signal: 1, noise }))
        const weights = dpmCoefficients(algorithmType, solverType, levels)
        const moved = combine(linear, [
          [weights.sample, sample],
          ...weights.outputs.map((weight, k) => [weight, history.at(-1 - k)!] as const),
          ...noiseTerm(call, weights.noise),
        ])
        return { sample: moved, x0, history }
      },
    }
  },
})
