import { logSigmoid, stopGradient, type Tensor, where } from '@antipode/core'
import { checkOptions, positive } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import { weighed } from './errors.ts'
import type { ModelNetwork, PreferenceObjective } from './objective.ts'
import { type PairBatch, pairErrors, pairObjective, rankedRight } from './pairs.ts'

/** Options of {@link mapo}; all are positive and finite. */
export interface MapoOptions {
  /** Weight of the preference beside the error of the chosen samples; 0.1 by default. */
  readonly beta?: number
  /** s, the signal-to-noise ratio by which errors count; 0.5 by default. */
  readonly snr?: number
  /** T, number of training timesteps; 1,000 by default. */
  readonly trainSteps?: number
}

/**
 * Margin-aware preference optimisation, which needs no reference (Hong et al. 2024, arXiv 2406.06424): with m(x) the
 * mean squared error of the model and h(m) = s·m/(e^(s·m) − 1), the loss is `mean m(chosen) − β·log σ(T·(h(m(chosen)) −
 * h(m(rejected))))`. It learns the chosen samples as it ranks them; negated, it learns the rejected ones. Weights of
 * the draw multiply the errors.
 *
 * Metrics, without weights: `accuracy` (share of pairs whose chosen sample is predicted better, ties ½) and `error`
 * (mean m).
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function mapo<C extends Condition>(
  options: MapoOptions = {},
): PreferenceObjective<PairBatch<C>, ModelNetwork<C>> {
  checkOptions('mapo', options, { beta: positive, snr: positive, trainSteps: positive })
  const { beta = 0.1, snr = 0.5, trainSteps = 1000 } = options
  return pairObjective('mapo', ({ model }, batch) => {
    const errors = pairErrors(model, batch)
    const chosen = weighed('mapo', errors.chosen, batch.weights)
    const rejected = weighed('mapo', errors.rejected, batch.weights)
    const logOdds = decay(chosen.mul(snr)).sub(decay(rejected.mul(snr))).mul(trainSteps)
    const margin = stopGradient(errors.chosen.sub(errors.rejected))
    const sum = stopGradient(errors.chosen.add(errors.rejected))
    return {
      loss: chosen.sub(logSigmoid(logOdds).mul(beta)).mean(),
      metrics: { accuracy: rankedRight(margin, sum).mean(), error: sum.mul(0.5).mean() },
    }
  })
}

/** Coefficients of x/(eˣ − 1) − 1 + x/2 in powers of x², without the first: Bernoulli numbers B₂ₖ/(2k)!. */
const bernoulli = [
  1 / 12, -1 / 720, 1 / 30_240, -1 / 1_209_600, 1 / 47_900_160, -691 / 1_307_674_368_000, 1 / 74_724_249_600,
]

/**
 * x/(eˣ − 1) − 1 for x of 0 or more: without the 1, since the loss multiplies differences by a thousand, of which f32
 * would keep four digits.
 */
function decay(x: Tensor): Tensor {
  const square = x.minimum(1).square()
  const series = bernoulli.reduceRight((sum, b) => sum.add(b).mul(square), square.mul(0))
  // (x/2)·coth(x/2) − 1, which is not 0/0 at 0 where it is not taken.
  const half = x.maximum(1).mul(0.5)
  return where(x.lt(1), series, half.div(half.tanh()).sub(1)).sub(x.mul(0.5))
}
