import { combine } from '../../linear/index.ts'
import { currentSigma, nextSigma, noiseTerm, solver, x0Of, type Solver } from '../../run/index.ts'
import { type Kdpm2Config, midpointFields, midpointSpace } from '../kdpm2/index.ts'

/** The options of {@link kdpm2Ancestral}, with the defaults of diffusers' KDPM2AncestralDiscreteScheduler. */
export type Kdpm2AncestralConfig = Kdpm2Config

/**
 * The midpoint method on dx/dσ = ε with fresh noise at each step. A step from σ to σ' goes down to σ'²/σ and is noised
 * up to σ' again, so the middle of its way in ln σ, where the model is called a second time, is σ' itself. The last step,
 * to σ = 0, is Euler's, takes one call and draws no noise.
 * @throws {ConfigError} on an unknown option or value
 * Sources: DPM-Solver, arXiv 2206.00927, algorithm 1; DDPM's posterior, arXiv 2006.11239, equation 7.
 */
export const kdpm2Ancestral: Solver<Kdpm2AncestralConfig> = /* @__PURE__ */ solver<Kdpm2AncestralConfig>({
  name: 'kdpm2Ancestral',
  classNames: ['KDPM2AncestralDiscreteScheduler'],
  fields: midpointFields,
  setup(config, name) {
    const { levels, timestepOf, methods } = midpointSpace(name, config)

    return {
      ...methods,
      // Second calls stand at odd places.
      needsNoise: (state) => state.step % 2 === 1,
      plan(request) {
        const { sigmas, timesteps } = levels(request)
        // Each level but the first is called at twice: in the middle of the step to it, and as the start of the next.
        return {
          timesteps: timesteps.flatMap((t, i) => (i === 0 ? [t] : [Math.fround(timestepOf(sigmas[i]!)), t])),
          sigmas: [...sigmas.flatMap((sigma, i) => (i === 0 ? [sigma] : [sigma, sigma])), 0],
          starts: sigmas.map((_, i) => 2 * i),
        }
      },
      step(call) {
        const { linear, state, sample } = call
        const sigma = currentSigma(state)
        const x0 = x0Of(call, config, { signal: 1, noise: sigma })
        const start = state.slots['sample']
        if (start === undefined) {
          const next = nextSigma(state)
          const ratio = next / sigma
          const moved = combine(linear, [
            [ratio, sample],
            [1 - ratio, x0],
          ])
          return { sample: moved, x0, ...(next > 0 ? { slots: { sample } } : {}) }
        }
        // x' = s + (σ'²/σ − σ)·(x − x₀)/σ' + σ'·√(1 − σ'²/σ²)·n, with s from the step's start at σ and x at σ'
        const before = state.plan.sigmas![state.step - 1]!
        const length = sigma / before - before / sigma
        const moved = combine(linear, [
          [1, start],
          [length, sample],
          [-length, x0],
          ...noiseTerm(call, sigma * Math.sqrt(1 - (sigma / before) ** 2)),
        ])
        return { sample: moved, x0 }
      },
    }
  },
})
