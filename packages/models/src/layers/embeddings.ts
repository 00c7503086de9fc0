import { ConfigError, constant, type Tensor, where } from '@antipode/core'
import { type Initialiser, type Layer, Linear, Module } from '@antipode/core/nn'
import { checkArgument, checkOptions, finite, flag, whole } from '@antipode/core/options'

/** How {@link timestepEmbedding} lays out its waves. */
export interface TimestepWaves {
  /** Cosines before sines, default true as in Stable Diffusion. */
  readonly flipSinToCos?: boolean
  /** Subtracted from the number of frequencies in the exponent, which it must differ from; default 0. */
  readonly freqShift?: number
}

/**
 * Sinusoids of numbers such as timesteps: t `[N]` -> `[N, width]` f32, frequencies 10000^(−i / (width/2 − freqShift)).
 * Source: Vaswani et al. 2017, section 3.5, in the layout of diffusers `embeddings.py`.
 * @throws {ConfigError} if the width is not whole and even, or an option is unknown or out of its range
 */
export function timestepEmbedding(t: Tensor, width: number, options: TimestepWaves = {}): Tensor {
  checkArgument('timestepEmbedding', 'width', width, { expected: 'an even number of 2 or more', accepts: (v) => whole(2).accepts(v) && Number(v) % 2 === 0 })
  checkOptions('timestepEmbedding', options, { flipSinToCos: flag, freqShift: finite })
  const { flipSinToCos = true, freqShift = 0 } = options
  const half = width / 2
  if (freqShift === half) throw new ConfigError(`timestepEmbedding: expected a freqShift other than ${half}, half the width, got it`)
  const frequencies = Float32Array.from({ length: 2 * half }, (_, i) => Math.exp(-Math.log(10000) * (i % half) / (half - freqShift)))
  const [times, rates] = [t.to('f32').reshape([-1, 1]), constant(t.device, frequencies, [1, 2 * half])]
  // Both halves of both waves are computed, from angles of their own, and half of them chosen: one kernel instead of
  // four, on few numbers.
  const cosines = constant(t.device, Float32Array.from(frequencies, (_, i) => (i < half === flipSinToCos ? 1 : 0)), [1, 2 * half])
  return where(cosines, times.mul(rates).cos(), times.mul(rates).sin())
}

/** Two linear layers with a SiLU between them, `[N, in] -> [N, out]`. */
export class TimestepEmbedding extends Module {
  readonly linear_1: Layer
  readonly linear_2: Layer

  constructor(init: Initialiser, inputs: number, outputs: number) {
    super()
    this.linear_1 = Linear.of(init, inputs, outputs)
    this.linear_2 = Linear.of(init, outputs, outputs)
  }

  forward(x: Tensor): Tensor {
    return this.linear_2.forward(this.linear_1.forward(x.to(this.dtype)).silu())
  }
}
