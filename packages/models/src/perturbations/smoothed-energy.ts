import { ConfigError, gaussianBlur, scaledDotProductAttention, type Tensor } from '@antipode/core'
import type { Module } from '@antipode/core/nn'
import { checkOptions, type Range } from '@antipode/core/options'
import { attending, type PassInput, type Wrappers } from '../layers/index.ts'
import { layersRange, type PerturbationOptions, selfAttentions } from './layer-choice.ts'

/** Options of {@link smoothedEnergy}. */
export interface SmoothedEnergyOptions extends PerturbationOptions {
  /** σ ≥ 0 of the blur, in pixels of the layer's image; Infinity, the default, gives all pixels one query: the mean. */
  readonly sigma?: number
}

const sigmas: Range = { expected: 'a number of 0 or more, or Infinity', accepts: (v) => typeof v === 'number' && v >= 0 }

/**
 * The perturbed branch of smoothed-energy guidance (SEG): in the chosen self-attentions the queries are blurred over
 * the image, by a kernel of ⌈6σ⌉ pixels, or of the shorter side where that is less,
 * made odd upwards; at σ = 0 they stay.
 * @throws {ConfigError} if an option is unknown or outside its range, or a choice finds no self-attention
 * Source: Hong 2024, arXiv 2408.00760, eq. 9; the kernel of SEG-SDXL `pipeline_seg.py`, whose default is σ = ∞ in the
 * middle block at a scale of 3.
 */
export function smoothedEnergy(model: Module, options: SmoothedEnergyOptions = {}): Wrappers {
  checkOptions('smoothedEnergy', options, { sigma: sigmas, layers: layersRange })
  const { sigma = Infinity } = options
  const layers = selfAttentions('smoothedEnergy', model, options.layers)
  return new Map(layers.map(([, layer]) => [layer, attending(layer, (pass) => (queries, keys, values, given) =>
    scaledDotProductAttention(smoothed(queries, sigma, pass), keys, values, given))]))
}

/** Queries `[B,N,H,D]`, blurred over the grid of the N pixels. */
function smoothed(queries: Tensor, sigma: number, { grid }: PassInput): Tensor {
  if (sigma === 0) return queries
  if (sigma === Infinity) return queries.mean({ axes: 1, keepDims: true }).expand(queries.shape)
  if (!grid) {
    throw new ConfigError('smoothedEnergy: expected an attention over an image, got one over other tokens; choose others')
  }
  const [batch = 1, , heads = 1, width = 1] = queries.shape
  const span = Math.min(Math.ceil(6 * sigma), ...grid)
  const image = queries.reshape([batch, ...grid, heads * width]) // b (h w) heads d -> b h w (heads d)
  return gaussianBlur(image, { sigma, size: span + 1 - span % 2, axes: [1, 2] }).reshape(queries.shape)
}
