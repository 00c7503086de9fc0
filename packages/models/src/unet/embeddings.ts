import { constant, type Tensor, where } from '@antipode/core'
import { type Initialiser, Linear, Module } from '@antipode/core/nn'

/** How {@link timestepEmbedding} lays out its waves. */
export interface TimestepWaves {
  /** Cosines before sines, default true as in Stable Diffusion. */
  readonly flipSinToCos?: boolean
  /** Subtracted from the number of frequencies in the exponent, default 0. */
  readonly freqShift?: number
}

/**
 * Sinusoids of numbers such as timesteps: t `[N]` -> `[N, width]` f32, frequencies 10000^(−i / (width/2 − freqShift)).
 * Source: Vaswani et al. 2017, section 3.5, in the layout of diffusers `embeddings.py`.
 */
export function timestepEmbedding(t: Tensor, width: number, { flipSinToCos = true, freqShift = 0 }: TimestepWaves = {}): Tensor {
  const half = Math.floor(width / 2)
  const frequencies = Float32Array.from({ length: 2 * half }, (_, i) => Math.exp(-Math.log(10000) * (i % half) / (half - freqShift)))
  const [times, rates] = [t.to('f32').reshape([-1, 1]), constant(t.device, frequencies, [1, 2 * half])]
  // Both halves of both waves are computed, from angles of their own, and half of them chosen: one kernel instead of four, on few numbers.
  const cosines = constant(t.device, Float32Array.from(frequencies, (_, i) => (i < half === flipSinToCos ? 1 : 0)), [1, 2 * half])
  return where(cosines, times.mul(rates).cos(), times.mul(rates).sin())
}

/** Two linear layers with a SiLU between them, `[N, in] -> [N, out]`. */
export class TimestepEmbedding extends Module {
  readonly linear_1: Linear
  readonly linear_2: Linear

  constructor(init: Initialiser, inputs: number, outputs: number) {
    super()
    this.linear_1 = Linear.of(init, inputs, outputs)
    this.linear_2 = Linear.of(init, outputs, outputs)
  }

  forward(x: Tensor): Tensor {
    return this.linear_2.forward(this.linear_1.forward(x.to(this.linear_1.weight.dtype)).silu())
  }
}
