import { constant, randn, type TensorHost } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { noiseCoefficients, type Schedule } from '@antipode/schedulers'
import type { NoiseDraw } from './objective.ts'

/**
 * The timesteps and noise of training step `step`: uniform timesteps and unit normal noise that depend on nothing but the
 * seed and the step, so that a resumed run draws what the uninterrupted one would have.
 * @param shape of the samples, `[B, ...]`; at most 1,024 a batch
 */
export function drawNoise(
  device: TensorHost,
  schedule: Schedule,
  shape: readonly number[],
  { seed, step }: { readonly seed: number; readonly step: number },
): NoiseDraw {
  const count = shape[0] ?? 0
  const random = rng(seed, { stream: step })
  const timesteps = Array.from({ length: count }, () => random.int(schedule.trainSteps))
  const { signal, noise } = noiseCoefficients(schedule, timesteps)
  const column = [count, ...shape.slice(1).map(() => 1)]
  return {
    timesteps: constant(device, timesteps),
    signal: constant(device, signal, column),
    sigma: constant(device, noise, column),
    noise: randn(device, shape, { seed, stream: step }),
  }
}
