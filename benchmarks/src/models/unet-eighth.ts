import { randn, type Tensor, type Backend } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { type UNet2DConfig, UNet2DConditionModel } from '@antipode/models'
import golden from './unet-eighth.golden.json' with { type: 'json' }

/**
 * Stable Diffusion 1.5's UNet at an eighth of its width, CompVis v1-inference.yaml otherwise: its eight heads become one, which
 * keeps the widths of a head (40 to 160), and its 32 groups eight.
 */
export const unetEighthConfig: UNet2DConfig = {
  sample_size: 64,
  in_channels: 4,
  out_channels: 4,
  layers_per_block: 2,
  block_out_channels: [40, 80, 160, 160],
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  cross_attention_dim: 96,
  attention_head_dim: 1,
  norm_num_groups: 8,
}

/** The model with fresh weights, the same on every host. */
export function unetEighthModel(host: Backend): UNet2DConditionModel {
  return new UNet2DConditionModel(randomParameters(host, { seed: 0 }), unetEighthConfig)
}

/** What it is given: a latent image `[1,4,64,64]` and 77 tokens of a prompt. */
export function unetEighthInputs(host: Backend): { readonly x: Tensor; readonly context: Tensor } {
  return { x: randn(host, [1, 4, 64, 64], { seed: 1 }), context: randn(host, [1, 77, 96], { seed: 2 }) }
}

/** Its prediction of the noise at one timestep. */
export function unetEighthPrediction(model: UNet2DConditionModel, { x, context }: { readonly x: Tensor; readonly context: Tensor }): Tensor {
  return model.forward(x, 500, { context })
}

/** Some entries of the prediction in float64, as `golden.ts` computed them, at the places that `samples` gives. */
export const unetEighthGolden: readonly number[] = golden.values
