import { type Backend, ConfigError, constant, type Tensor } from '@antipode/core'
import type { StepCoefficients } from './step-coefficients.ts'

/**
 * Coefficients of the steps of B samples, each `[B, 1, …]` f32: every sample may be at a step of its own.
 */
export interface StepLevels {
  /** What the model is told, `[B]` f32. */
  readonly timesteps: Tensor
  /** The model's input is the sample times this. */
  readonly input: Tensor
  /** Share of the sample in the mean of what comes next. */
  readonly carried: Tensor
  /** Share of the prediction in it. */
  readonly predicted: Tensor
  /** Standard deviation of what comes next. */
  readonly deviation: Tensor
  /** Time that the step takes. */
  readonly elapsed: Tensor
}

/** Steps that stochastic runs took: where they stood and where they went. */
export interface Transitions extends StepLevels {
  /** x, `[B, ...]` */
  readonly sample: Tensor
  /** x', `[B, ...]` */
  readonly next: Tensor
}

/**
 * The coefficients of one step for each sample as tensors.
 * @param rank of the samples
 * @throws {ConfigError} if a step draws no noise, so that it has no density
 */
export function stepLevels(device: Backend, steps: readonly StepCoefficients[], rank: number): StepLevels {
  const still = steps.find(({ deviation }) => !(deviation > 0))
  if (still) {
    throw new ConfigError(
      `stepLevels: expected steps that draw noise, got none at timestep ${still.timestep}; take a stochastic solver, ` +
        'and ddim with stepsOffset: 1 and setAlphaToOne: false, so that its last step draws too',
    )
  }
  const column = [steps.length, ...Array<number>(rank - 1).fill(1)]
  const of = (name: Exclude<keyof StepCoefficients, 'clean'>): Tensor =>
    constant(device, steps.map((step) => step[name]), column)
  return {
    timesteps: constant(device, steps.map(({ timestep }) => timestep)), input: of('input'), carried: of('sample'),
    predicted: of('prediction'), deviation: of('deviation'), elapsed: of('elapsed'),
  }
}

/** Where a model's prediction leads on average, μ = a·x + b·e, f32 `[B, ...]`. */
export function stepMean(prediction: Tensor, { sample, carried, predicted }: Omit<Transitions, 'next'>): Tensor {
  return sample.to('f32').mul(carried).add(prediction.to('f32').mul(predicted))
}

/**
 * Log-probability density of the steps given their means, `log p(x' | x) = mean −(x' − μ)²/(2s²) − ln s − ½ ln 2π`,
 * `[B]` f32. It is the mean over elements and not their sum, as in SPO, DDPO and Flow-GRPO, so that ratios stay near 1.
 * Source: kvablack/ddpo-pytorch, ddim_with_logprob.py.
 */
export function stepLogProb(mean: Tensor, { next, deviation }: Pick<Transitions, 'next' | 'deviation'>): Tensor {
  const [batch = 1] = next.shape
  const away = next.to('f32').sub(mean).div(deviation) // in standard deviations
  const each = away.square().mul(-0.5).sub(deviation.log())
  return each.reshape([batch, -1]).mean({ axes: 1 }).sub(0.5 * Math.log(2 * Math.PI))
}
