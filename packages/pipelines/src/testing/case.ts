import { type Backend, type Tensor, tensor } from '@antipode/core'
import { type Module, placeholders, setAdapter } from '@antipode/core/nn'
import { fillWithWaves, waveParameter, waves } from '@antipode/core/testing'
import {
  AutoencoderKL,
  type AutoencoderKLConfig,
  type CLIPTextConfig,
  CLIPTextModel,
  CLIPTextModelWithProjection,
  UNet2DConditionModel,
  type UNet2DConfig,
} from '@antipode/models'
import { fromConfig, type Scheduler } from '@antipode/schedulers'
import type { Pipeline, PromptTokenizer } from '../index.ts'
import { stableDiffusion, stableDiffusionXL, type StableDiffusionXLOptions } from '../index.ts'
import golden from './pipelines.golden.json' with { type: 'json' }

/** Statistics of a tensor of the reference. */
export interface Recorded {
  readonly shape: readonly number[]
  readonly sum: number
  readonly absMean?: number
  readonly mean?: number
  readonly first8?: readonly number[]
  readonly first16?: readonly number[]
  readonly f32MaxAbsDev?: number
}

/** A run of the reference. */
export interface Case {
  readonly name: string
  readonly pipeline: string
  readonly components: string
  readonly scheduler: { readonly class: string; readonly config: Readonly<Record<string, unknown>> }
  readonly call: Readonly<Record<string, unknown>>
  readonly latents: readonly Recorded[]
  readonly image?: Recorded
  readonly output?: Recorded
}

export const cases = golden.cases as unknown as readonly Case[] // the file's rows have not all the same keys

const config = golden.components
/** Ids by the golden table; the rule of padding is that of the tokenizer. */
const tokenizer = (pad: number): PromptTokenizer => ({
  maxLength: 77,
  bos: 545,
  eos: 546,
  pad,
  encode: idsOf,
  padded: (text) => ({ ids: [545, ...idsOf(text).slice(0, 75), 546, ...new Array<number>(77).fill(pad)].slice(0, 77) }),
})

function idsOf(text: string): readonly number[] {
  return golden.texts.find((one) => one.text === text)?.ids.slice(1, -1) ?? longIds(text)
}

/** A long prompt is the same one over and over. */
function longIds(text: string): readonly number[] {
  const [{ text: unit, ids }] = golden.texts as [(typeof golden.texts)[number]]
  const words = ids.slice(1, -1)
  return new Array<readonly number[]>(Math.round(text.length / (unit.length + 1))).fill(words).flat()
}

/** The components of a case, filled as the reference's were, in a pipeline. */
export async function pipelineOfCase(
  device: Backend,
  { components: kind, scheduler: file, call, name }: Case,
): Promise<Pipeline<StableDiffusionXLOptions>> {
  const init = placeholders(device)
  const filled = <M extends Module>(model: M): Promise<M> => fillWithWaves(model)
  const text = config.text_encoder.config as CLIPTextConfig
  const text2 = config.text_encoder_2.config as CLIPTextConfig
  const xl = kind.startsWith('sdxl')
  const refiner = kind.includes('refiner')
  const unetConfig = (refiner ? config.unet_refiner : xl ? config.unet_sdxl : config.unet).config
  const changed = {
    ...unetConfig,
    ...(kind.includes('in_channels 9') ? { in_channels: 9 } : {}),
    ...(kind.includes('time_cond_proj_dim 16') ? { time_cond_proj_dim: 16 } : {}),
  }
  const unet = await filled(new UNet2DConditionModel(init, changed as UNet2DConfig))
  if (name.startsWith('npo')) for (const tag of ['eta', 'delta']) addWaveLora(unet, tag)
  const vae = await filled(new AutoencoderKL(init, (xl ? config.vae_sdxl : config.vae).config as AutoencoderKLConfig))
  const scheduler: Scheduler = fromConfig({
    _class_name: file.class,
    ...file.config,
    ...('eta' in call && /DDIM|TCD/.test(file.class) ? { eta: call['eta'] } : {}),
    ...('original_inference_steps' in call ? { original_inference_steps: call['original_inference_steps'] } : {}),
  })
  const textEncoder = await filled(new CLIPTextModel(init, text))
  if (!xl) return stableDiffusion({ unet, vae, scheduler, textEncoder, tokenizer: tokenizer(546) })
  const textEncoder2 = await filled(new CLIPTextModelWithProjection(init, text2))
  if (refiner) textEncoder.dispose()
  return stableDiffusionXL({
    unet,
    vae,
    scheduler,
    textEncoder2,
    tokenizer2: tokenizer(0),
    forceZerosForEmptyPrompt: !refiner,
    ...(refiner ? {} : { textEncoder, tokenizer: tokenizer(546) }),
  })
}

/** A low-rank adapter on every attention, by the rule of the reference: Δ = 0.25·B·A. */
function addWaveLora(unet: UNet2DConditionModel, tag: string): void {
  const tensors = new Map<string, Tensor>()
  for (const [name, { shape }] of unet.namedParameters()) {
    const layer = /^(.*\.to_(?:q|k|v|out\.0))\.weight$/.exec(name)?.[1]
    if (layer === undefined) continue
    const [out = 1, inputs = 1] = shape
    for (const [part, sizes] of Object.entries({ 'lora_A.weight': [2, inputs], 'lora_B.weight': [out, 2] })) {
      tensors.set(`${layer}.${part}`, waveParameter(unet.device, `${tag}.${layer}.${part}`, sizes))
    }
  }
  setAdapter(unet, tag, tensors, { alpha: 0.5 })
}

/** The call of a case as options of ours, and the tensors that it takes besides. */
export function optionsOf(
  device: Backend,
  { call: c, pipeline, name }: Case,
): StableDiffusionXLOptions & { readonly image?: Tensor; readonly mask?: Tensor } {
  const get = <T>(key: string): T | undefined => c[key] as T | undefined // the reference's own option
  const given = Object.entries({
    prompt: get<string>('prompt'),
    negativePrompt: get<string>('negative_prompt'),
    height: get<number>('height'),
    width: get<number>('width'),
    steps: get<number>('num_inference_steps'),
    guidanceScale: get<number>('guidance_scale'),
    guidanceRescale: get<number>('guidance_rescale'),
    clipSkip: get<number>('clip_skip'),
    imagesPerPrompt: get<number>('num_images_per_prompt'),
    seed: get<readonly number[]>('seeds') ?? get<number>('seed'),
    // Beside denoising_start the reference ignores a strength, and we refuse it.
    strength: 'denoising_start' in c ? undefined : get<number>('strength'),
    prompt2: get<string>('prompt_2'),
    negativePrompt2: get<string>('negative_prompt_2'),
    originalSize: get('original_size'),
    cropTopLeft: get('crops_coords_top_left'),
    targetSize: get('target_size'),
    negativeOriginalSize: get('negative_original_size'),
    negativeCropTopLeft: get(
      name === 'sdxl_img2img_negcrop_quirk' ? 'crops_coords_top_left' : 'negative_crops_coords_top_left',
    ),
    negativeTargetSize: get('negative_target_size'),
    denoisingStart: get<number>('denoising_start'),
    denoisingEnd: get<number>('denoising_end'),
    aestheticScore: get<number>('aesthetic_score'),
    negativeAestheticScore: get<number>('negative_aesthetic_score'),
    ...(name.startsWith('npo')
      ? { positive: c['positive'] === 'base' ? {} : { eta: 1 }, negative: { eta: c['alpha'], delta: c['beta'] } }
      : {}),
    ...imagesOf(device, pipeline, c),
  }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as unknown as ReturnType<typeof optionsOf> // made of the options above
}

function imagesOf(
  device: Backend,
  pipeline: string,
  c: Case['call'],
): { readonly image?: Tensor; readonly mask?: Tensor } {
  if (!/Img2Img|Inpaint/.test(pipeline)) return {}
  if ('denoising_start' in c) return { image: waves(device, 'input.latents', [1, 4, 8, 8], 0, 1) }
  const image = waves(device, 'input.image', [1, 3, 16, 16], 0.5, 0.45)
  return pipeline.includes('Inpaint') ? { image, mask: maskOf(device) } : { image }
}

/** Rows 2 to 10 and columns 5 to 13 of 16 are repainted. */
function maskOf(device: Backend): Tensor {
  const inside = (i: number, low: number, high: number): boolean => i >= low && i <= high
  return tensor(
    device,
    Float32Array.from({ length: 256 }, (_, i) => (inside(Math.floor(i / 16), 2, 10) && inside(i % 16, 5, 13) ? 1 : 0)),
    [1, 1, 16, 16],
  )
}
