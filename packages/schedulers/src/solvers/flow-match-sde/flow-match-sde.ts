import { choice, integer, numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { currentSigma, nextSigma, noiseTerm, solver, type Solver } from '../../run/index.ts'
import { mostTimesteps, type NoiseLevel } from '../../schedule/index.ts'
import { flowLevels, shiftSigma } from '../../sigmas/index.ts'

/** The options of {@link flowMatchSde}. */
export interface FlowMatchSdeConfig {
  /** What the model is told at σ = 1. */
  readonly numTrainTimesteps: number
  /** Shift s of the levels, σ → s·σ/(1 + (s − 1)·σ). */
  readonly shift: number
  /** a, how much fresh noise there is; at 0 this is Euler's method. */
  readonly noiseLevel: number
  /** g(σ): 'growing' is a·√(σ/(1 − σ)), Flow-GRPO's, 'constant' is a, DanceGRPO's. */
  readonly diffusion: 'growing' | 'constant'
}

/**
 * Euler-Maruyama steps of a stochastic process with the marginals of a flow, for models that predict ε − x₀ on
 * x = (1 − σ)·x₀ + σ·ε: with g of the level and d = σ' − σ,
 * `x' = x + (v + g²/(2σ)·(x + (1 − σ)·v))·d + g·√(−d)·ε`. What policy gradients sample a flow by: each step is a normal
 * distribution. The last step draws noise too, as in the released code. g at σ = 1, where the growing one has no end, is
 * taken with the 1 − σ of the level after it.
 *
 * Timesteps and sigmas of the caller's own are those before shifting.
 * @throws {ConfigError} on an unknown option or value
 * Sources: Flow-GRPO (Liu et al. 2025, arXiv 2505.05470, eq. 9; sd3_sde_with_logprob.py), DanceGRPO (Xue et al. 2025,
 * arXiv 2505.07818, eq. 8; train_grpo_flux.py, where a is 0.3).
 */
export const flowMatchSde: Solver<FlowMatchSdeConfig, null> = /* @__PURE__ */ solver<FlowMatchSdeConfig, null>({
  name: 'flowMatchSde',
  classNames: [],
  process: 'flow',
  fields: () => ({
    numTrainTimesteps: integer(1000, 1, mostTimesteps),
    shift: numeric(1, 1e-6),
    noiseLevel: numeric(0.7, 0),
    diffusion: choice('growing', ['growing', 'constant']),
  }),
  setup({ numTrainTimesteps: steps, shift, noiseLevel, diffusion }, name) {
    const lowest = Math.fround(shiftSigma(shift, 1 / steps))
    const levelOf = (sigma: number): NoiseLevel => ({ signal: 1 - sigma, noise: sigma })
    const diffusionAt = (sigma: number, next: number): number =>
      (diffusion === 'constant' ? noiseLevel : noiseLevel * Math.sqrt(sigma / (1 - (sigma === 1 ? next : sigma))))

    return {
      schedule: null,
      accepts: ['timesteps', 'sigmas'],
      level: (state) => levelOf(currentSigma(state)),
      levelAt: (timestep) => levelOf(timestep / steps),
      velocity: () => ({ noise: 1, clean: -1 }),
      needsNoise: () => noiseLevel > 0,
      plan(request) {
        const shifted = flowLevels(name, request, steps, lowest).map((sigma) => Math.fround(shiftSigma(shift, sigma)))
        return { timesteps: shifted.map((sigma) => Math.fround(sigma * steps)), sigmas: [...shifted, 0] }
      },
      step(call) {
        const { linear, state, prediction, sample, hooks } = call
        const [sigma, next] = [currentSigma(state), nextSigma(state)]
        const predicted = combine(linear, [[1, sample], [-sigma, prediction]])
        const x0 = hooks?.x0?.(predicted) ?? predicted
        // (x − x₀)/σ, which without a hook is the prediction itself.
        const velocity = x0 === predicted ? prediction : combine(linear, [[1 / sigma, sample], [-1 / sigma, x0]])
        const g = diffusionAt(sigma, next)
        const drift = (g ** 2 / (2 * sigma)) * (next - sigma)
        const moved = combine(linear, [
          [1 + drift, sample],
          [next - sigma + drift * (1 - sigma), velocity],
          ...noiseTerm(call, g * Math.sqrt(sigma - next)),
        ])
        return { sample: moved, x0 }
      },
    }
  },
})
