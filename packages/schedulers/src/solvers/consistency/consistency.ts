import { flag, integer, numeric } from '../../config/index.ts'
import { refuse, refuseConfig } from '../../errors.ts'
import { combine } from '../../linear/index.ts'
import { clipTo } from '../../prediction/index.ts'
import { currentSigma, nextSigma, noiseTerm, solver, type Solver } from '../../run/index.ts'
import { mostTimesteps } from '../../schedule/index.ts'
import { checkTimesteps } from '../../timesteps/index.ts'

/** The options of {@link consistency}, with the defaults of diffusers' CMStochasticIterativeScheduler. */
export interface ConsistencyConfig {
  /** Number of levels that training used; those of a run are among them. */
  readonly numTrainTimesteps: number
  /** The least and the largest noise level of training. */
  readonly sigmaMin: number
  readonly sigmaMax: number
  /** Standard deviation of the data. */
  readonly sigmaData: number
  /** Factor of the noise between steps. */
  readonly sNoise: number
  /** Exponent ρ of the levels: they are evenly spaced in σ^(1/ρ). */
  readonly rho: number
  /** Whether the clean sample is clipped to ±1. */
  readonly clipDenoised: boolean
}

/**
 * Multistep sampling of consistency models on x = x₀ + σ·ε: each step jumps to a clean sample
 * f(x, σ) = c_skip·x + c_out·F and noises it anew to the next level; the last level is σ_min, which adds none.
 *
 * The model takes the sample times `inputScale(state)` and is told 250·ln σ; `levelAt` and `addNoise` take that number
 * too. Timesteps of the caller's own are, as in diffusers, falling indices among the levels of training, of which 0 is the
 * noisiest, so that a run goes through them from the last.
 * @throws {ConfigError} on an unknown option or value, or levels that do not rise
 * Source: Consistency Models, arXiv 2303.01469, algorithm 1 and appendix C.
 */
export const consistency: Solver<ConsistencyConfig, null> = /* @__PURE__ */ solver<ConsistencyConfig, null>({
  name: 'consistency',
  classNames: ['CMStochasticIterativeScheduler'],
  process: 'consistency',
  fields: () => ({
    numTrainTimesteps: integer(40, 2, mostTimesteps),
    sigmaMin: numeric(0.002, 1e-9),
    sigmaMax: numeric(80, 1e-9),
    sigmaData: numeric(0.5, 1e-9),
    sNoise: numeric(1, 0),
    rho: numeric(7, 1e-3),
    clipDenoised: flag(true),
  }),
  setup(config, name) {
    const { numTrainTimesteps: trained, sigmaMin, sigmaMax, sigmaData, rho } = config
    if (sigmaMin >= sigmaMax) refuseConfig(name, `sigmaMin below sigmaMax ${sigmaMax}`, String(sigmaMin), 'raise sigmaMax')
    const [first, last] = [sigmaMax ** (1 / rho), sigmaMin ** (1 / rho)]
    const lowest = Math.fround(sigmaMin)
    // c_skip and c_out, of which the boundary condition f(x, σ_min) = x holds.
    const scalings = (sigma: number): { skip: number; out: number } => ({
      skip: (sigmaData / Math.hypot(sigma - sigmaMin, sigmaData)) ** 2,
      out: ((sigma - sigmaMin) * sigmaData) / Math.hypot(sigma, sigmaData),
    })
    const sigmaAt = (told: number): number => Math.exp(told / 250)

    return {
      schedule: null,
      accepts: ['timesteps'],
      mostSteps: trained,
      level: (state) => ({ signal: 1, noise: currentSigma(state) }),
      levelAt: (told) => ({ signal: 1, noise: sigmaAt(told) }),
      inputScale: (state) => 1 / Math.hypot(currentSigma(state), sigmaData),
      initNoiseSigma: () => sigmaMax,
      needsNoise: ({ plan }) => plan.timesteps.length > 1,
      // What makes f of a noised sample its clean form: F = (x₀ − c_skip·(x₀ + σ·ε))/c_out.
      velocity(told) {
        const sigma = sigmaAt(told)
        const { skip, out } = scalings(sigma)
        if (out > 0) return { noise: (-skip * sigma) / out, clean: (1 - skip) / out }
        return refuse(`${name}.velocity`, 'a level above sigmaMin', String(sigma), 'there f(x) is x, whatever the model says')
      },
      plan(request) {
        const chosen = request.by === 'timesteps' ? request.timesteps : []
        const ratio = request.by === 'count' ? Math.floor(trained / request.count) : 0
        const indices = request.by === 'count' ? Array.from({ length: request.count }, (_, i) => i * ratio) : chosen.toReversed()
        if (request.by !== 'count') checkTimesteps(name, chosen, trained, { whole: true })
        const sigmas = indices.map((index) => (first + (index / (trained - 1)) * (last - first)) ** rho)
        return {
          timesteps: sigmas.map((sigma) => 250 * Math.log(sigma)),
          sigmas: [...sigmas.map(Math.fround), lowest],
        }
      },
      step(call) {
        const { linear, state, prediction, sample, hooks } = call
        const { skip, out } = scalings(currentSigma(state))
        const predicted = combine(linear, [
          [out, prediction],
          [skip, sample],
        ])
        const clip = clipTo(linear, { clipSample: config.clipDenoised, clipSampleRange: 1 })
        const clipped = clip?.(predicted) ?? predicted
        const x0 = hooks?.x0?.(clipped) ?? clipped
        const spread = config.sNoise * Math.sqrt(Math.max(nextSigma(state) ** 2 - lowest ** 2, 0))
        return { sample: combine(linear, [[1, x0], ...noiseTerm(call, spread)]), x0 }
      },
    }
  },
})
