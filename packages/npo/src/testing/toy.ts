import { concat, type Device, nn, type Tensor } from '@antipode/core'
import { noiseCoefficients, noiseSchedule, type Schedule } from '@antipode/schedulers'
import type { NoiseDraw } from '../process/index.ts'

/** The schedule of DDPM, linear in β over 1,000 timesteps. */
export const schedule: Schedule = noiseSchedule()

/** Sizes of a {@link ToyDenoiser}. */
export interface ToySizes {
  readonly width: number
  readonly classes: number
  readonly hidden: number
}

/** Two linear layers that denoise vectors `[B, width]` under one-hot classes `[B, classes]`. */
export class ToyDenoiser extends nn.Module {
  readonly fc1: nn.Linear
  readonly fc2: nn.Linear

  constructor(fc1: nn.Linear, fc2: nn.Linear) {
    super()
    this.fc1 = fc1
    this.fc2 = fc2
  }

  static of(device: Device, seed: number, { width, classes, hidden }: ToySizes): ToyDenoiser {
    const init = nn.randomParameters(device, { seed })
    return new ToyDenoiser(nn.Linear.of(init, width + 1 + classes, hidden), nn.Linear.of(init, hidden, width))
  }

  forward(x: Tensor, timesteps: Tensor, condition: Tensor): Tensor {
    const features = concat([x, timesteps.div(1000).unsqueeze(1), condition], 1) // [B, width + 1 + classes]
    return this.fc2.forward(this.fc1.forward(features).silu())
  }

  /** The model as a function, as objectives and samplers take it. */
  get denoise(): (x: Tensor, timesteps: Tensor, condition: Tensor) => Tensor {
    return (x, timesteps, condition) => this.forward(x, timesteps, condition)
  }
}

/** What a batch of `[B, width]` vectors is noised by, from given noise and timesteps. */
export function drawOf(noise: Tensor, timesteps: readonly number[], upload: (data: ArrayLike<number>, shape: readonly number[]) => Tensor): NoiseDraw {
  const { signal, noise: sigma } = noiseCoefficients(schedule, timesteps)
  const column = [timesteps.length, 1]
  return { predictionType: 'epsilon', noise, timesteps: upload(timesteps, [timesteps.length]), alpha: upload(signal, column), sigma: upload(sigma, column) }
}

/** Largest distance between elements of two arrays of equal length, NaN if the lengths differ. */
export function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN
  return Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] ?? Number.NaN))), 0)
}

/** The elements of a tensor, which is disposed. */
export async function take(t: Tensor): Promise<Float32Array> {
  const values = await t.data()
  t.dispose()
  return values as Float32Array
}
