import { refuse, show } from '../../errors.ts'
import { combine } from '../../linear/index.ts'
import { meanSlope, mostSlopes } from '../../multistep/index.ts'
import { linspace32 } from '../../numeric/index.ts'
import { impliedNoise, predictedNoise } from '../../prediction/index.ts'
import { currentSigma, nextSigma, solver, x0Of, type Solver } from '../../run/index.ts'
import type { NoiseLevel } from '../../schedule/index.ts'

/** {@link ipndm} has no options: its levels, and that its model predicts v, are fixed. */
export type IpndmConfig = Readonly<Record<never, never>>

/** What the reference divides by where no signal is left. */
const smallestSignal = 1e-8

/**
 * The improved pseudo numerical method: DDIM's step along a mean of the last four slopes ε, with fewer at a run's start
 * instead of Runge–Kutta steps. It is for models of v on x = cos(φ)·x₀ + sin(φ)·ε that are told the time φ/(π/2), from 1
 * (noise) to 0 (clean); the noise of step i of N is sin²(π/2·(1 − i/N)).
 *
 * A run starts at pure noise, where ε is the sample whatever the model says, and x₀ is −v. diffusers goes on from x₀ = 0
 * there, which is what rounding leaves of (x − ε)/α, so that its runs end beside the data that the model means.
 * @throws {ConfigError} on any option
 * Sources: PNDM, arXiv 2202.09778, equations 9 and 11; levels and start as in crowsonkb/v-diffusion-pytorch.
 */
export const ipndm: Solver<IpndmConfig, null> = /* @__PURE__ */ solver<IpndmConfig, null>({
  name: 'ipndm',
  classNames: ['IPNDMScheduler'],
  process: 'angles',
  refused: { trained_betas: [null] },
  fields: () => ({}),
  setup: () => ({
    schedule: null,
    level: (state) => levelOf(currentSigma(state)),
    levelAt(timestep) {
      if (timestep >= 0 && timestep <= 1) return levelOf(Math.sin(timestep * (Math.PI / 2)))
      return refuse('ipndm', 'a timestep from 0 to 1', show(timestep), 'take one from a plan')
    },
    velocity(timestep) {
      const { signal, noise } = levelOf(Math.sin(timestep * (Math.PI / 2)))
      return { noise: signal, clean: -noise }
    },
    plan(request) {
      const times = linspace32(1, 0, request.by === 'count' ? request.count + 1 : 0)
      // float32 as in the reference, sin and square apart
      const sigmas = Array.from(times.map((time) => Math.sin(time * (Math.PI / 2))).map((sine) => sine ** 2))
      const told = sigmas.slice(0, -1).map((sigma) => Math.fround(Math.asin(sigma) / (Math.PI / 2)))
      return { timesteps: told, sigmas }
    },
    step(call) {
      const { linear, state, prediction, sample, hooks } = call
      const [here, next] = [levelOf(currentSigma(state)), levelOf(nextSigma(state))]
      const x0 = x0Of(call, { predictionType: 'v_prediction' }, here)
      const slope =
        hooks?.x0 === undefined
          ? predictedNoise(linear, 'v_prediction', here, prediction, sample)
          : impliedNoise(linear, here, x0, sample)
      const history = [...state.history, slope].slice(-mostSlopes)
      // α'·(x − σ·m)/α + σ'·m, where m is the mean of the slopes; at a run's start, where (x − σ·m)/α is 0/0, x₀ stands for it.
      const starts = here.signal === 0 && state.history.length === 0
      const kept = starts ? 0 : next.signal / Math.max(here.signal, smallestSignal)
      const along = next.noise - kept * here.noise
      const moved = combine(linear, [
        starts ? [next.signal, x0] : [kept, sample],
        ...meanSlope(history).map(([weight, one]) => [along * weight, one] as const),
      ])
      return { sample: moved, x0, history }
    },
  }),
})

/** The level with this share of noise, of unit power. */
function levelOf(noise: number): NoiseLevel {
  return { signal: Math.fround(Math.sqrt(Math.fround(1 - Math.fround(noise * noise)))), noise }
}
