import { concat, ConfigError, constant, type Tensor, where } from '@antipode/core'
import { type Initialiser, type Layer, Linear, Module } from '@antipode/core/nn'
import { checkArgument, checkOptions, finite, flag, oneOf, whole } from '@antipode/core/options'
import { type Activation, activate, activations } from './activation.ts'

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
  checkArgument('timestepEmbedding', 'width', width, {
    expected: 'an even number of 2 or more', accepts: (v) => whole(2).accepts(v) && Number(v) % 2 === 0,
  })
  checkOptions('timestepEmbedding', options, { flipSinToCos: flag, freqShift: finite })
  const { flipSinToCos = true, freqShift = 0 } = options
  const half = width / 2
  if (freqShift === half) {
    throw new ConfigError(`timestepEmbedding: expected a freqShift other than ${half}, half the width, got it`)
  }
  const rate = (i: number): number => Math.exp(-Math.log(10000) * (i % half) / (half - freqShift))
  const frequencies = Float32Array.from({ length: 2 * half }, (_, i) => rate(i))
  const [times, rates] = [t.to('f32').reshape([-1, 1]), constant(t.device, frequencies, [1, 2 * half])]
  // Both halves of both waves are computed, from angles of their own, and half of them chosen: one kernel instead of
  // four, on few numbers.
  const isCosine = Float32Array.from(frequencies, (_, i) => (i < half === flipSinToCos ? 1 : 0))
  const cosines = constant(t.device, isCosine, [1, 2 * half])
  return where(cosines, times.mul(rates).cos(), times.mul(rates).sin())
}

/**
 * Waves of numbers at learned or drawn frequencies: t `[N]` -> `[N, width]` f32, the cosines and sines of 2π·f·t.
 * Source: Tancik et al. 2020, arXiv 2006.10739; `GaussianFourierProjection` of diffusers.
 */
export class FourierFeatures extends Module {
  /** Frequencies, `[width / 2]`. */
  readonly weight: Tensor
  readonly flipSinToCos: boolean

  /** @param width even */
  constructor(init: Initialiser, width: number, options: Pick<TimestepWaves, 'flipSinToCos'> = {}) {
    super()
    this.weight = init.normal([width / 2], 1)
    this.flipSinToCos = options.flipSinToCos ?? true
  }

  forward(t: Tensor): Tensor {
    const angles = t.to('f32').reshape([-1, 1]).mul(this.weight.to('f32')).mul(2 * Math.PI)
    return concat(this.flipSinToCos ? [angles.cos(), angles.sin()] : [angles.sin(), angles.cos()], 1)
  }
}

/** What a {@link TimestepEmbedding} may have besides its two layers. */
export interface TimestepEmbeddingOptions {
  /** Between the two; SiLU by default. */
  readonly activation?: Activation
  /** Behind both; none by default. */
  readonly postActivation?: Activation | undefined
  /** Width of a condition that is projected and added to the input; none by default. */
  readonly conditionWidth?: number | undefined
}

/** Two linear layers with an activation between them, `[N, in] -> [N, out]`. */
export class TimestepEmbedding extends Module {
  readonly linear_1: Layer
  readonly linear_2: Layer
  readonly condProj: Layer | undefined
  readonly activation: Activation
  readonly postActivation: Activation | undefined

  /** @throws {ConfigError} if a width is not whole and 1 or more, or an option is unknown or out of its range */
  constructor(init: Initialiser, inputs: number, outputs: number, options: TimestepEmbeddingOptions = {}) {
    super()
    const activation = oneOf(...activations)
    checkOptions('TimestepEmbedding', options, { activation, postActivation: activation, conditionWidth: whole(1) })
    const { conditionWidth } = options
    this.activation = options.activation ?? 'silu'
    this.postActivation = options.postActivation
    this.linear_1 = Linear.of(init, inputs, outputs)
    this.condProj = conditionWidth ? Linear.of(init, conditionWidth, inputs, { bias: false }) : undefined
    this.linear_2 = Linear.of(init, outputs, outputs)
  }

  /** x `[N, in]`, condition `[N, conditionWidth]`; without one, nothing is added. */
  forward(x: Tensor, condition?: Tensor): Tensor {
    const { dtype } = this
    const added = condition && this.condProj?.forward(condition.to(dtype))
    const h = this.linear_1.forward(added ? x.to(dtype).add(added) : x.to(dtype))
    const y = this.linear_2.forward(activate(h, this.activation))
    return this.postActivation ? activate(y, this.postActivation) : y
  }
}
