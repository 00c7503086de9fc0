import { CheckpointError } from '@antipode/core'
import { type Module, placeholders, type StateSource } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { AutoencoderKL, type AutoencoderKLConfig } from '../../autoencoder/index.ts'
import { type CLIPTextConfig, CLIPTextModel } from '../../clip/index.ts'
import { ldmUNetNames, ldmVaeNames } from '../../keymaps/index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../../unet/index.ts'
import { clipConfigs, unetConfigs } from '../family-configs.ts'
import type { Family } from '../identify.ts'

/** Tensors of a file by their shapes alone. */
export type Shapes = Map<string, readonly number[]>

const init = placeholders(new FakeHost())

/** The tensors of a model under the names of a single file. */
function shapesOf(
  model: Module,
  prefix: string,
  names?: (all: Iterable<string>) => Map<string, string>,
): Shapes {
  const state = model.state()
  const original = names?.(state.keys())
  return new Map(Array.from(state, ([name, { shape }]) => {
    const theirs = prefix + (original?.get(name) ?? name)
    return [theirs, /\.attn_1\.(q|k|v|proj_out)\.weight$/.test(theirs) ? [...shape, 1, 1] : shape]
  }))
}

/** A source that tells names and shapes, and reads nothing. */
export const sourceOf = (shapes: Shapes): StateSource => ({
  names: () => shapes.keys(),
  info(name) {
    const shape = shapes.get(name)
    return shape && { shape, dtype: 'F16', reads: ['f32'] }
  },
  read: () => Promise.reject(new CheckpointError('nothing is read')),
})

interface ClipSizes {
  readonly width: number
  readonly inner: number
  readonly layers: number
  readonly vocabulary?: number
  readonly positions?: number
}

/** The tensors of OpenCLIP's text tower. */
export function openClip(prefix: string, sizes: ClipSizes): Shapes {
  const { width, inner, layers, vocabulary = 49_408, positions = 77 } = sizes
  const layer = (i: number): [string, number[]][] => Object.entries({
    'ln_1.weight': [width], 'ln_1.bias': [width], 'ln_2.weight': [width], 'ln_2.bias': [width],
    'attn.in_proj_weight': [3 * width, width], 'attn.in_proj_bias': [3 * width],
    'attn.out_proj.weight': [width, width], 'attn.out_proj.bias': [width], 'mlp.c_fc.weight': [inner, width],
    'mlp.c_fc.bias': [inner], 'mlp.c_proj.weight': [width, inner], 'mlp.c_proj.bias': [width],
  }).map(([name, shape]) => [`transformer.resblocks.${i}.${name}`, shape])
  const all: [string, number[]][] = [
    ['positional_embedding', [positions, width]], ['token_embedding.weight', [vocabulary, width]],
    ['ln_final.weight', [width]], ['ln_final.bias', [width]], ['text_projection', [width, width]], ['logit_scale', []],
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
  ]
  return new Map(all.map(([name, shape]) => [prefix + name, shape]))
}

/** A checkpoint in one file, and what diffusers makes of it. */
export interface Original {
  readonly file: Shapes
  readonly className: string
  readonly scheduler: string
  readonly unet: UNet2DConfig
  readonly vae: AutoencoderKLConfig
  readonly text: CLIPTextConfig | undefined
  readonly text2: CLIPTextConfig | undefined
}

const four = Array<'DownEncoderBlock2D'>(4).fill('DownEncoderBlock2D')
const vae: AutoencoderKLConfig = {
  in_channels: 3, out_channels: 3, latent_channels: 4, block_out_channels: [128, 256, 512, 512], layers_per_block: 2,
  down_block_types: four, up_block_types: four.map(() => 'UpDecoderBlock2D'), use_quant_conv: true,
  use_post_quant_conv: true, mid_block_add_attention: true,
}
const { clipL, clipH, bigG } = clipConfigs
const openAI = (prefix: string): Shapes => shapesOf(new CLIPTextModel(init, clipL), prefix)
const sizesG = { width: 1280, inner: 5120, layers: 32 }

function original(family: Family, texts: readonly Shapes[], rest: Omit<Original, 'file' | 'unet'>): Original {
  const unet = unetConfigs[family]
  const file = [
    shapesOf(new UNet2DConditionModel(init, unet), 'model.diffusion_model.', ldmUNetNames),
    shapesOf(new AutoencoderKL(init, vae), 'first_stage_model.', ldmVaeNames), ...texts,
    new Map([['model_ema.decay', []], ['alphas_cumprod', [1000]], ['betas', [1000]]]),
  ]
  return { file: new Map(file.flatMap((part) => [...part])), unet, ...rest }
}

const vaeXL = { ...vae, sample_size: 1024, scaling_factor: 0.13025, force_upcast: true }

/** The checkpoints of the families at their full sizes, made when they are asked for. */
export const originals: Readonly<Record<Family, () => Original>> = {
  sd1: () => original('sd1', [openAI('cond_stage_model.transformer.')], {
    className: 'StableDiffusionPipeline', scheduler: 'PNDMScheduler', text: clipL, text2: undefined,
    vae: { ...vae, sample_size: 512, scaling_factor: 0.18215 },
  }),
  sd2: () => original('sd2', [openClip('cond_stage_model.model.', { width: 1024, inner: 4096, layers: 24 })], {
    className: 'StableDiffusionPipeline', scheduler: 'DDIMScheduler', text: clipH, text2: undefined,
    vae: { ...vae, sample_size: 768, scaling_factor: 0.18215 },
  }),
  sdxl: () => original('sdxl', [
    openAI('conditioner.embedders.0.transformer.'), openClip('conditioner.embedders.1.model.', sizesG),
  ], {
    className: 'StableDiffusionXLPipeline', scheduler: 'EulerDiscreteScheduler', text: clipL, text2: bigG, vae: vaeXL,
  }),
  'sdxl-refiner': () => original('sdxl-refiner', [openClip('conditioner.embedders.0.model.', sizesG)], {
    className: 'StableDiffusionXLImg2ImgPipeline', scheduler: 'EulerDiscreteScheduler', text: undefined, text2: bigG,
    vae: vaeXL,
  }),
}

/** A small checkpoint of Stable Diffusion 1 in one file. @param channels that its UNet takes */
export function smallOriginal(channels = 4): Shapes {
  const unet: UNet2DConfig = {
    in_channels: channels, block_out_channels: [32, 64], layers_per_block: 1, cross_attention_dim: 64,
    down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
  }
  const small: AutoencoderKLConfig = {
    block_out_channels: [32, 32], down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
    up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  }
  const text: CLIPTextConfig = {
    vocab_size: 16, hidden_size: 64, intermediate_size: 12, num_hidden_layers: 2, num_attention_heads: 1,
    max_position_embeddings: 5,
  }
  return new Map([
    ...shapesOf(new UNet2DConditionModel(init, unet), 'model.diffusion_model.', ldmUNetNames),
    ...shapesOf(new AutoencoderKL(init, small), 'first_stage_model.', ldmVaeNames),
    ...shapesOf(new CLIPTextModel(init, text), 'cond_stage_model.transformer.'),
  ])
}
