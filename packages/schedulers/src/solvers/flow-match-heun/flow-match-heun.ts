import { integer, numeric } from '../../config/index.ts'
import { combine } from '../../linear/index.ts'
import { currentSigma, nextSigma, solver, type Solver } from '../../run/index.ts'
import { mostTimesteps, type NoiseLevel } from '../../schedule/index.ts'
import { flowLevels, shiftSigma } from '../../sigmas/index.ts'

/** The options of {@link flowMatchHeun}, with the defaults of diffusers' FlowMatchHeunDiscreteScheduler. */
export interface FlowMatchHeunConfig {
  /** What the model is told at σ = 1. */
  readonly numTrainTimesteps: number
  /** Shift s of the levels, σ → s·σ/(1 + (s − 1)·σ). */
  readonly shift: number
}

/**
 * Heun's second-order method for flow models, which predict ε − x₀ on x = (1 − σ)·x₀ + σ·ε: a step to the next level,
 * another call of the model there, and the step again with the mean of both slopes. The last step, to σ = 0, is Euler's
 * and takes one call.
 *
 * Timesteps and sigmas of the caller's own are those before shifting; the spaced ones end at the smallest *shifted* level
 * and are then shifted again, as in diffusers.
 * @throws {ConfigError} on an unknown option or value
 * Sources: Rectified Flow, arXiv 2209.03003; Karras et al., arXiv 2206.00364, algorithm 1 without churn.
 */
export const flowMatchHeun: Solver<FlowMatchHeunConfig, null> = /* @__PURE__ */ solver<FlowMatchHeunConfig, null>({
  name: 'flowMatchHeun',
  classNames: ['FlowMatchHeunDiscreteScheduler'],
  process: 'flow',
  fields: () => ({ numTrainTimesteps: integer(1000, 1, mostTimesteps), shift: numeric(1, 1e-6) }),
  setup({ numTrainTimesteps: steps, shift }, name) {
    const lowest = Math.fround(shiftSigma(shift, 1 / steps))
    const levelOf = (sigma: number): NoiseLevel => ({ signal: 1 - sigma, noise: sigma })

    return {
      schedule: null,
      accepts: ['timesteps', 'sigmas'],
      level: (state) => levelOf(currentSigma(state)),
      levelAt: (timestep) => levelOf(timestep / steps),
      velocity: () => ({ noise: 1, clean: -1 }),
      plan(request) {
        const sigmas = flowLevels(name, request, steps, lowest).map((sigma) => Math.fround(shiftSigma(shift, sigma)))
        // Each level but the first is called at twice: as the end of a step and as the start of the next.
        const twice = sigmas.flatMap((sigma, i) => (i === 0 ? [sigma] : [sigma, sigma]))
        return {
          timesteps: twice.map((sigma) => Math.fround(sigma * steps)),
          sigmas: [...twice, 0],
          starts: sigmas.map((_, i) => 2 * i),
        }
      },
      step({ linear, state, prediction, sample, hooks }) {
        const sigma = currentSigma(state)
        const predicted = combine(linear, [
          [1, sample],
          [-sigma, prediction],
        ])
        const x0 = hooks?.x0?.(predicted) ?? predicted
        // (x − x₀)/σ, which without a hook is the prediction itself.
        const slope =
          x0 === predicted
            ? prediction
            : combine(linear, [
                [1 / sigma, sample],
                [-1 / sigma, x0],
              ])
        const { sample: start, slope: first } = state.slots
        if (start === undefined || first === undefined) {
          const moved = combine(linear, [
            [1, sample],
            [nextSigma(state) - sigma, slope],
          ])
          return { sample: moved, x0, slots: { sample, slope } }
        }
        const half = (sigma - state.plan.sigmas![state.step - 1]!) / 2
        const moved = combine(linear, [
          [1, start],
          [half, first],
          [half, slope],
        ])
        return { sample: moved, x0 }
      },
    }
  },
})
