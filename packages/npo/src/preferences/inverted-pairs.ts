import { concat, evaluate, full, randn, type Tensor, where } from '@antipode/core'
import { abortSignal, atLeast, checkOptions, required, whole } from '@antipode/core/options'
import { type NoiseLevel, type Schedule, trainingLevel } from '@antipode/schedulers'
import { type Condition, type Denoiser, joinConditions } from '../denoiser.ts'
import type { PairBatch } from '../objectives/index.ts'
import { type NoiseDraw, predictedNoise } from '../process/index.ts'

/** Options of {@link invertedPairs}. */
export interface InvertedPairsOptions {
  /**
   * Steps of an inversion up to the last timestep, of which those below the drawn one are taken: 10 by default, as InPO
   * has it; 5 of SmPO.
   */
  readonly steps?: number
  /** η, how much noise each step adds: 0.1 by default, none at 0. */
  readonly eta?: number
  /** Of that noise, whole, in [0, 2⁵³). */
  readonly seed: number
  /** Number of the batch, whole, in [0, 2¹⁶). */
  readonly step: number
  readonly signal?: AbortSignal
}

/** One step of an inversion. */
export interface InversionStep {
  /** What the model is told. */
  readonly timestep: number
  readonly from: NoiseLevel
  readonly to: NoiseLevel
  /** Standard deviation of η = 1: that of the interval above the step's own. */
  readonly deviation: number
}

/** Noise of inversions is drawn from other streams than that of training, which takes one a step from 0 on. */
const firstStream = 3 * 2 ** 30

/**
 * Pairs as InPO and SmPO train on them: each sample has the noise by which DDIM backwards, with the model in training,
 * leads from the sample to its drawn timestep, in place of a random one. InPO is {@link diffusionDpo} on such pairs, SmPO
 * {@link smpo}. Each pair's inversion ends at the last inverse timestep below its own (released code takes the first
 * pair's for a whole batch), yet counts as x_t of the drawn one, as released.
 * @param model ε, v or x₀ by the schedule; no gradient goes through it
 * @param batch with timesteps of {@link drawNoise}; its noise is not read
 * @returns the batch with noises of its own, which the caller disposes: `noise` and `rejectedNoise`
 * @throws {ConfigError} if an option is unknown or outside its range
 * Sources: Lu et al. 2025, InPO, arXiv 2503.18454; JaydenLyh/InPO, train.py, with diffusers' DDIMInverseScheduler.
 */
export async function invertedPairs<C extends Condition>(
  model: Denoiser<C>, schedule: Schedule, batch: PairBatch<C>, options: InvertedPairsOptions,
): Promise<PairBatch<C> & { readonly rejectedNoise: Tensor }> {
  checkOptions('invertedPairs', options, {
    steps: whole(1, schedule.trainSteps), eta: atLeast(0), seed: required(whole(0)),
    step: required(whole(0, 2 ** 16 - 1)), signal: abortSignal,
  })
  const { steps = 10, eta = 0.1, seed, step, signal } = options
  using drawn = batch.timesteps.mul(1)
  const highest = Math.max(...await drawn.data())
  const clean = concat([batch.chosen, batch.rejected]).to('f32') // [2B, ...]
  const timesteps = concat([batch.timesteps, batch.timesteps])
  const condition = joinConditions(batch.condition, batch.condition)
  const taken = inversionSteps(schedule, steps).filter(({ timestep }) => timestep < highest)
  let x = clean
  for (const [index, level] of taken.entries()) {
    signal?.throwIfAborted()
    const told = full(x.device, [clean.shape[0] ?? 0], level.timestep)
    const prediction = model(x.to(batch.chosen.dtype), told, condition)
    const noise = randn(x.device, x.shape, { seed, stream: firstStream + 2 ** 10 * step + index }).mul(eta)
    const reached = timesteps.gt(level.timestep).reshape([-1, ...x.shape.slice(1).map(() => 1)])
    const next = where(reached, inverted(x, prediction, level, batch, noise), x)
    await evaluate(next)
    if (x !== clean) x.dispose()
    x = next
  }
  const [alpha, sigma] = [batch.alpha, batch.sigma].map((t) => concat([t, t])) as [Tensor, Tensor]
  const implied = x.sub(clean.mul(alpha)).div(sigma)
  const count = batch.chosen.shape[0] ?? 0
  const [noise, rejectedNoise] = [implied.slice(0, 0, count), implied.slice(0, count)]
  await evaluate(noise, rejectedNoise)
  if (x !== clean) x.dispose()
  return { ...batch, noise, rejectedNoise }
}

/** The steps of an inversion, from the sample up: at timesteps 1, 1 + s, 1 + 2s, … with s the stride. */
export function inversionSteps(schedule: Schedule, steps: number): InversionStep[] {
  const { trainSteps } = schedule
  const stride = Math.floor(trainSteps / steps)
  const level = (t: number): NoiseLevel => trainingLevel(schedule, Math.min(Math.max(t, 0), trainSteps - 1))
  return Array.from({ length: steps }, (_, i) => {
    const timestep = Math.min(1 + i * stride, trainSteps - 1)
    const [from, to, above] = [level(timestep - stride), level(timestep), level(timestep + stride)]
    const variance = (to.noise / above.noise) ** 2 * (1 - (above.signal / to.signal) ** 2)
    return { timestep, from, to, deviation: Math.sqrt(variance) }
  })
}

/** One step up from `x` at the level `from`, by what the model predicts of it there. */
export function inverted(
  x: Tensor, prediction: Tensor, { from, to, deviation }: InversionStep, draw: NoiseDraw, noise: Tensor,
): Tensor {
  const [alpha, sigma] = [full(x.device, [1], from.signal), full(x.device, [1], from.noise)]
  const epsilon = predictedNoise(prediction, x, { ...draw, alpha, sigma })
  const clean = x.sub(epsilon.mul(from.noise)).div(from.signal)
  return clean.mul(to.signal).add(epsilon.mul(to.noise)).add(noise.mul(deviation))
}
