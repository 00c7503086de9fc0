import { combine } from '../../linear/index.ts'
import { currentSigma, nextSigma, solver, x0Of, type Solver } from '../../run/index.ts'
import { type Kdpm2Config, midpointFields, midpointSpace } from './midpoint.ts'

/**
 * The midpoint method on dx/dσ = ε, with the middle of a step in ln σ as DPM-Solver-2 has it: a step to there, another
 * call of the model, and the whole step again along the slope found there. The last step, to σ = 0, is Euler's and takes
 * one call.
 * @throws {ConfigError} on an unknown option or value
 * Sources: DPM-Solver, arXiv 2206.00927, algorithm 1, in the form of Karras et al., arXiv 2206.00364.
 */
export const kdpm2: Solver<Kdpm2Config> = /* @__PURE__ */ solver<Kdpm2Config>({
  name: 'kdpm2',
  classNames: ['KDPM2DiscreteScheduler'],
  fields: midpointFields,
  setup(config, name) {
    const { levels, timestepOf, methods } = midpointSpace(name, config)

    return {
      ...methods,
      plan(request) {
        const { sigmas, timesteps } = levels(request)
        // The geometric mean lies in the middle of ln σ. Before each level but the first comes the middle on the way.
        const between = sigmas.slice(1).map((sigma, i) => Math.fround(Math.sqrt(sigma * sigmas[i]!)))
        const mixed = (list: readonly number[], middles: readonly number[]): number[] =>
          list.flatMap((one, i) => (i === 0 ? [one] : [middles[i - 1]!, one]))
        return {
          timesteps: mixed(timesteps, between.map(timestepOf).map(Math.fround)),
          sigmas: [...mixed(sigmas, between), 0],
          starts: sigmas.map((_, i) => 2 * i),
        }
      },
      step(call) {
        const { linear, state, sample } = call
        const [sigma, next] = [currentSigma(state), nextSigma(state)]
        const x0 = x0Of(call, config, { signal: 1, noise: sigma })
        const start = state.slots['sample']
        // From the step's start s along (x − x₀)/σ, over the first half or the whole of it.
        const length = (next - (start === undefined ? sigma : state.plan.sigmas![state.step - 1]!)) / sigma
        const moved = combine(linear, [
          ...(start === undefined ? [[1 + length, sample] as const] : [[1, start] as const, [length, sample] as const]),
          [-length, x0],
        ])
        const halfway = start === undefined && next > 0
        return { sample: moved, x0, ...(halfway ? { slots: { sample } } : {}) }
      },
    }
  },
})
