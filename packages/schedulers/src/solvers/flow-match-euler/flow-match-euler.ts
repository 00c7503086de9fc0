import { choice, flag, integer, numeric, optionalNumber } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { currentSigma, nextSigma, noiseTerm, solver, type Solver } from '../../run/index.ts'
import { mostTimesteps, type NoiseLevel } from '../../schedule/index.ts'
import {
  checkCurves,
  curvedSigmas,
  dynamicShift,
  flowLevels,
  shiftSigma,
  sigmaFields,
  stretchToTerminal,
  type DynamicShiftConfig,
  type SigmaConfig,
} from '../../sigmas/index.ts'

/** The options of {@link flowMatchEuler}, with the defaults of diffusers' FlowMatchEulerDiscreteScheduler. */
export interface FlowMatchEulerConfig extends SigmaConfig, DynamicShiftConfig {
  /** What the model is told at σ = 1. */
  readonly numTrainTimesteps: number
  /** Shift s of the levels, σ → s·σ/(1 + (s − 1)·σ). */
  readonly shift: number
  /** Whether each run brings its own shift as `mu`. */
  readonly useDynamicShifting: boolean
  readonly timeShiftType: 'exponential' | 'linear'
  /** Level of the last step's start, to which the others are stretched. */
  readonly shiftTerminal: number | null
  /** Whether the model is told 1 − σ, rising (Mochi's way); noise is then at 0. */
  readonly invertSigmas: boolean
  /** Whether each step noises its x₀ anew. */
  readonly stochasticSampling: boolean
}

/**
 * Euler's method for flow models, which predict ε − x₀ on x = (1 − σ)·x₀ + σ·ε.
 *
 * Timesteps and sigmas of the caller's own are those before shifting, as in diffusers; likewise the spaced ones end at
 * the smallest *shifted* level and are then shifted again.
 * @throws {ConfigError} on an unknown option or value
 * Sources: Rectified Flow, arXiv 2209.03003; SD3, arXiv 2403.03206.
 */
export const flowMatchEuler: Solver<FlowMatchEulerConfig, null> = /* @__PURE__ */ solver<FlowMatchEulerConfig, null>({
  name: 'flowMatchEuler',
  classNames: ['FlowMatchEulerDiscreteScheduler'],
  process: 'flow',
  fields: () => ({
    ...sigmaFields(),
    numTrainTimesteps: integer(1000, 1, mostTimesteps),
    shift: numeric(1, 1e-6),
    useDynamicShifting: flag(false),
    timeShiftType: choice('exponential', ['exponential', 'linear']),
    baseShift: numeric(0.5),
    maxShift: numeric(1.15),
    baseImageSeqLen: integer(256, 1),
    maxImageSeqLen: integer(4096, 1),
    shiftTerminal: optionalNumber(1),
    invertSigmas: flag(false),
    stochasticSampling: flag(false),
  }),
  setup(config, name) {
    checkCurves(name, config)
    const { numTrainTimesteps: steps, shift, useDynamicShifting, invertSigmas } = config
    const lowest = Math.fround(useDynamicShifting ? 1 / steps : shiftSigma(shift, 1 / steps))
    const levelOf = (sigma: number): NoiseLevel =>
      invertSigmas ? { signal: sigma, noise: 1 - sigma } : { signal: 1 - sigma, noise: sigma }

    return {
      schedule: null,
      accepts: useDynamicShifting ? ['timesteps', 'sigmas', 'mu'] : ['timesteps', 'sigmas'],
      level: (state) => levelOf(currentSigma(state)),
      levelAt: (timestep) => levelOf(timestep / steps),
      velocity: () => ({ noise: 1, clean: -1 }),
      needsNoise: () => config.stochasticSampling,
      plan(request) {
        const by = useDynamicShifting ? dynamicShift(name, config.timeShiftType, request.mu) : shift
        const rounded = request.by === 'sigmas' ? { ...request, sigmas: request.sigmas.map(Math.fround) } : request
        const plain = flowLevels(name, rounded, steps, lowest)
        const shifted = plain.map((sigma) => shiftSigma(by, sigma))
        const stretched = config.shiftTerminal === null ? shifted : stretchToTerminal(shifted, config.shiftTerminal)
        const curved = curvedSigmas(config, stretched[0]!, stretched.at(-1)!, stretched.length) ?? stretched
        const sigmas = curved.map((sigma) => (invertSigmas ? Math.fround(1 - Math.fround(sigma)) : Math.fround(sigma)))
        return {
          timesteps: sigmas.map((sigma) => Math.fround(sigma * steps)),
          sigmas: [...sigmas, invertSigmas ? 1 : 0],
        }
      },
      step(call) {
        const { linear, state, prediction, sample, hooks } = call
        const [sigma, next, end] = [currentSigma(state), nextSigma(state), state.plan.sigmas!.at(-1)!]
        const predicted = combine(linear, [
          [1, sample],
          [end - sigma, prediction],
        ])
        const x0 = hooks?.x0?.(predicted) ?? predicted
        if (config.stochasticSampling) {
          const level = levelOf(next)
          return { sample: combine(linear, [[level.signal, x0], ...noiseTerm(call, level.noise)]), x0 }
        }
        // The share of the way to clean data that is left: with the prediction's own x₀ this is x + (σ' − σ)·v.
        const left = sigma === end ? 0 : (end - next) / (end - sigma)
        const moved = combine(linear, [
          [left, sample],
          [1 - left, x0],
        ])
        return { sample: moved, x0 }
      },
    }
  },
})
