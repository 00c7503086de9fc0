import { combine } from '../../linear/index.ts'
import { nextSigma, solver, type Solver } from '../../run/index.ts'
import { churned, churnFields, churns, edmFields, edmSpace, type ChurnConfig, type EdmConfig } from '../../sigmas/index.ts'

/** The options of {@link edmEuler}, with the defaults of diffusers' EDMEulerScheduler. */
export interface EdmEulerConfig extends EdmConfig, ChurnConfig {}

/**
 * Euler's method on dx/dσ = ε for preconditioned models: samples start with the standard deviation
 * `initNoiseSigma(plan)`, and the model is given `sample · inputScale(state)` and told ¼·ln σ.
 * @throws {ConfigError} on an unknown option or value, or sigmaMin not below sigmaMax
 * Source: Karras et al., arXiv 2206.00364, algorithm 2 without its second-order correction.
 */
export const edmEuler: Solver<EdmEulerConfig, null> = /* @__PURE__ */ solver<EdmEulerConfig, null>({
  name: 'edmEuler',
  classNames: ['EDMEulerScheduler'],
  process: 'edm',
  fields: () => ({ ...edmFields(), ...churnFields() }),
  setup(config, name) {
    const { plan, clean, methods } = edmSpace(name, config, false)
    return {
      ...methods,
      plan,
      needsNoise: (state) => churns(config, state),
      step(call) {
        const { sigma, sample } = churned(call, config)
        const x0 = clean(call, sigma, sample)
        const ratio = nextSigma(call.state) / sigma
        const moved = combine(call.linear, [
          [ratio, sample],
          [1 - ratio, x0],
        ])
        return { sample: moved, x0 }
      },
    }
  },
})
