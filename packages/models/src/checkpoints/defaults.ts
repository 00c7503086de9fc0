import type { AutoencoderKLConfig } from '../autoencoder/index.ts'
import type { CLIPTextConfig } from '../clip/index.ts'
import type { UNet2DConfig } from '../unet/index.ts'
import type { Config } from './checkpoint.ts'
import type { Family } from './identify.ts'

// What neither names nor shapes of a single file tell, by family: as the repositories of the models have it, from which
// diffusers takes its defaults for single files.

/** What a network was trained to predict. */
export type PredictionType = 'epsilon' | 'v_prediction'

const isXL = (family: Family): boolean => family.startsWith('sdxl')

/** Side of the images that a family draws, in pixels. */
function pixels(family: Family, prediction: PredictionType): number {
  if (isXL(family)) return 1024
  return family === 'sd2' && prediction === 'v_prediction' ? 768 : 512
}

/** The noise schedule is one and the same; the sampler that repositories name beside it is not. */
export function schedulerConfig(family: Family, prediction: PredictionType, zeroSnr: boolean): Config {
  const schedule = {
    num_train_timesteps: 1000, beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear', steps_offset: 1,
    prediction_type: prediction, timestep_spacing: zeroSnr ? 'trailing' : 'leading',
    ...(zeroSnr ? { rescale_betas_zero_snr: true } : {}),
  }
  if (isXL(family)) {
    return {
      _class_name: 'EulerDiscreteScheduler', ...schedule, interpolation_type: 'linear', use_karras_sigmas: false,
    }
  }
  if (prediction === 'v_prediction') {
    return { _class_name: 'DDIMScheduler', ...schedule, clip_sample: false, set_alpha_to_one: false }
  }
  return { _class_name: 'PNDMScheduler', ...schedule, set_alpha_to_one: false, skip_prk_steps: true }
}

/**
 * Fields of the UNet beside its shapes.
 * @param inputs what the embedding of sizes takes @param pooled how much of it is the pooled text
 */
export function unetFields(family: Family, prediction: PredictionType, inputs: number, pooled: number): UNet2DConfig {
  const side = { sample_size: pixels(family, prediction) / 8 }
  if (inputs === 0) return side
  // Original size, corner and target size; the refiner has original size, corner and a score of beauty.
  const ids = family === 'sdxl-refiner' ? 5 : 6
  return {
    ...side, addition_embed_type: 'text_time', addition_time_embed_dim: pooled === 0 ? 256 : (inputs - pooled) / ids,
    projection_class_embeddings_input_dim: inputs,
  }
}

/** Fields of the autoencoder beside its shapes. */
export function vaeFields(family: Family, prediction: PredictionType): AutoencoderKLConfig {
  const sample_size = pixels(family, prediction)
  if (isXL(family)) return { sample_size, scaling_factor: 0.13025, force_upcast: true }
  return { sample_size, scaling_factor: 0.18215 }
}

/** Fields of a text encoder beside its shapes. @param original whether it is OpenCLIP's */
export function textFields(original: boolean): CLIPTextConfig {
  return {
    hidden_act: original ? 'gelu' : 'quick_gelu', layer_norm_eps: 1e-5, bos_token_id: 0,
    // As the repositories have it: the largest id of a prompt is its end.
    eos_token_id: 2, pad_token_id: 1,
  }
}

/** How prompts are filled up: with their end for OpenAI's encoder, with token 0 for those of OpenCLIP. */
export function tokenizerConfig(original: boolean): Config {
  return {
    model_max_length: 77, bos_token: '<|startoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>',
    pad_token: original ? '!' : '<|endoftext|>',
  }
}

/** The pipeline that draws with a family, by the channels that its UNet takes; undefined if there is none here. */
export function pipelineOf(family: Family, channels: number): string | undefined {
  if (family === 'sdxl-refiner') return channels === 4 ? 'StableDiffusionXLImg2ImgPipeline' : undefined
  const stem = isXL(family) ? 'StableDiffusionXL' : 'StableDiffusion'
  if (channels === 4) return `${stem}Pipeline`
  return channels === 9 ? `${stem}InpaintPipeline` : undefined
}

/** Fields of the pipeline itself. */
export function pipelineFields(family: Family): Config {
  if (family === 'sdxl') return { force_zeros_for_empty_prompt: true }
  return family === 'sdxl-refiner' ? { force_zeros_for_empty_prompt: false, requires_aesthetics_score: true } : {}
}
