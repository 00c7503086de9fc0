import { dequantise, quantisedMatmul } from '@antipode/kernels-wgsl'
import { linear, pad, where } from '../functional/index.ts'
import { apply1, type Tensor } from '../graph/index.ts'
import { AdaptableLayer } from './adapters/index.ts'
import type { Layer } from './layer.ts'
import type { Linear } from './linear.ts'

/** The bytes of a word, as factors. */
const places = [1, 2 ** 8, 2 ** 16, 2 ** 24]

/** Rows of x up to which the product reads the bytes themselves: each of them once then. */
const fewRows = 4

/**
 * A {@link Linear} with its weight in eight bits, `W ≈ scale·q` with q in −127…127 and a scale for each row (symmetric
 * quantisation by the largest of the row): a quarter of the memory in f32. The weight is made of it in each pass, which
 * is for that a tensor in the plan; the bias stays as it is. It carries adapters as a Linear does, and trains them, but
 * not its weight.
 */
export class QuantisedLinear extends AdaptableLayer implements Layer {
  /** q as signed bytes, four to a word from its low end, u32 `[out, ⌈in/4⌉]` */
  readonly codes: Tensor
  /** f32 `[out, 1]` */
  readonly scale: Tensor
  readonly bias: Tensor | undefined
  readonly weightShape: readonly [outputs: number, inputs: number]
  readonly groups = 1

  /** @param like a layer that this one stands for, whose adapters it shares */
  constructor(codes: Tensor, scale: Tensor, inputs: number, bias?: Tensor, like?: AdaptableLayer) {
    super(like)
    this.codes = codes
    this.scale = scale
    this.bias = bias
    this.weightShape = [codes.shape[0] ?? 0, inputs]
  }

  /**
   * The layer that another one becomes: shares its bias and adapters; its own tensors are lazy until they are
   * evaluated.
   */
  static of(layer: Linear): QuantisedLinear {
    const { weightShape: [outputs = 0, inputs = 0], bias } = layer
    const words = Math.ceil(inputs / places.length)
    const weight = layer.plainWeight().to('f32')
    const largest = weight.abs().max({ axes: 1, keepDims: true })
    const scale = largest.add(largest.eq(0)).div(127) // a row of zeros has the scale 1/127
    const q = weight.div(scale).add(0.5).floor()
    const rounded = where(q.lt(0), q.add(256), q).to('u32')
    const padded = pad(rounded, 1, 0, words * places.length - inputs).reshape([outputs, words, places.length])
    const bytes = places.map((place, k) => padded.slice(2, k, k + 1).mul(place))
    const codes = bytes.reduce((word, byte) => word.add(byte)).reshape([outputs, words])
    return new QuantisedLinear(codes, scale, inputs, bias, layer)
  }

  override forward(x: Tensor): Tensor {
    const [outputs, inputs] = this.weightShape
    const rows = x.size / inputs
    if (rows > fewRows || this.changes().length > 0) return super.forward(x)
    const words = this.codes.shape[1] ?? 0
    const whole = pad(x.reshape([rows, inputs]), 1, 0, words * places.length - inputs)
    const y = apply1(quantisedMatmul, [whole, this.codes, this.scale.reshape([outputs])]).reshape([...x.shape.slice(0, -1), outputs])
    return this.bias ? y.add(this.bias.to(y.dtype)) : y
  }

  plainWeight(): Tensor {
    const [outputs, inputs] = this.weightShape
    return apply1(dequantise, [this.codes, this.scale.reshape([outputs])], { dtype: 'f32' }).slice(1, 0, inputs)
  }

  product(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
    return linear(x, weight.to(x.dtype), bias?.to(x.dtype))
  }
}
