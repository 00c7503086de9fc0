import type { StateSource } from '@antipode/core/nn'

/** Which Stable Diffusion. */
export type Family = 'sd1' | 'sd2' | 'sdxl' | 'sdxl-refiner'

/** What the tensors of a file are. */
export interface Identity {
  /** `checkpoint` is a whole pipeline in one file, with the names of its original code. */
  readonly kind:
    'checkpoint' | 'unet' | 'vae' | 'tiny-vae' | 'text-encoder' | 'lora' | 'embedding' | 'controlnet' | 'motion' | 'unknown'
  /** Whose names the tensors have, of a model: diffusers' and transformers', or those of the original code. */
  readonly names: 'diffusers' | 'original' | undefined
  readonly family: Family | undefined
  /** In words, with an article: "a LoRA for Stable Diffusion XL". */
  readonly what: string
}

/** How sentences name the families. */
export const familyNames: Readonly<Record<Family, string>> = {
  sd1: 'Stable Diffusion 1',
  sd2: 'Stable Diffusion 2',
  sdxl: 'Stable Diffusion XL',
  'sdxl-refiner': 'the refiner of Stable Diffusion XL',
}

type Tensors = Pick<StateSource, 'names' | 'info'>

type Rule = readonly [pattern: RegExp, kind: Identity['kind'], names: Identity['names'], what: string]

/** Names that one kind of file alone has; the first that fits decides. */
const kinds: readonly Rule[] = [
  [/(^|[._])lora([._]|$)|\.(hada|lokr|oft)_|lora_(up|down|A|B)\b/, 'lora', undefined, 'a LoRA'],
  [/^control_model\.|controlnet_(cond|down)|input_hint_block/, 'controlnet', undefined, 'a ControlNet'],
  [/(^|\.)motion_modules\./, 'motion', undefined, 'a motion module of AnimateDiff'],
  [/^(emb_params|string_to_param\..*|clip_[lg])$/, 'embedding', undefined, 'an embedding of textual inversion'],
  [/(^|\.)joint_blocks\.\d/, 'unknown', undefined, 'a model of Stable Diffusion 3'],
  [/(^|\.)double_blocks\.\d/, 'unknown', undefined, 'a model of Flux'],
  [/(^|\.)head\.modulation$/, 'unknown', undefined, 'a model of Wan'],
  [/^model\.diffusion_model\.input_blocks\.\d/, 'checkpoint', 'original', 'a checkpoint in one file'],
  [/^(diffusion_model\.)?input_blocks\.\d/, 'unet', 'original', 'a UNet'],
  [/^down_blocks\.\d+\.resnets\./, 'unet', 'diffusers', 'a UNet'],
  [/^((first_stage_model|vae)\.)?(en|de)coder\.(down|up)\.\d/, 'vae', 'original', 'an autoencoder'],
  [/^(en|de)coder\.(down|up)_blocks\.\d/, 'vae', 'diffusers', 'an autoencoder'],
  [/^\d+\.conv\.\d+\.weight$/, 'tiny-vae', undefined, 'one half of a tiny autoencoder, such as TAESD'],
  [/^(text_model\.)?encoder\.layers\.\d+\.self_attn\./, 'text-encoder', 'diffusers', 'a text encoder'],
  [/^(.*\.)?transformer\.resblocks\.\d/, 'text-encoder', 'original', 'a text encoder'],
]

/**
 * What a file is, by the names and shapes of its tensors; nothing is read. What stays open: whether Stable Diffusion 2
 * predicts ε or v, how many heads attend, and of which family an autoencoder is.
 */
export function identify(tensors: Tensors): Identity {
  const names = [...tensors.names()]
  const hit = kinds.find(([pattern]) => names.some((name) => pattern.test(name)))
  if (!hit) {
    const some = names.slice(0, 3).map((name) => JSON.stringify(name)).join(', ')
    const what = `a file of ${names.length} tensors unknown here (${some}, …)`
    return { kind: 'unknown', names: undefined, family: undefined, what }
  }
  const [, kind, vocabulary, what] = hit
  const family = familyOf(kind, tensors, names)
  const of = kind === 'lora' ? 'for' : 'of'
  return { kind, names: vocabulary, family, what: family ? `${what} ${of} ${familyNames[family]}` : what }
}

function familyOf(kind: Identity['kind'], tensors: Tensors, names: readonly string[]): Family | undefined {
  if (kind === 'lora') return loraFamily(tensors, names)
  return kind === 'unet' || kind === 'checkpoint' ? unetFamily(tensors, names) : undefined
}

/** By the text encoders where they are in the file, or else by the width of what the UNet attends to. */
function unetFamily(tensors: Tensors, names: readonly string[]): Family | undefined {
  const has = (prefix: string): boolean => names.some((name) => name.startsWith(prefix))
  if (has('conditioner.embedders.1.model.')) return 'sdxl'
  if (has('conditioner.embedders.0.model.')) return 'sdxl-refiner'
  if (has('cond_stage_model.model.')) return 'sd2'
  if (has('cond_stage_model.transformer.')) return 'sd1'
  const key = names.find((name) => name.endsWith('.attn2.to_k.weight'))
  const width = key === undefined ? undefined : tensors.info(key)?.shape[1]
  return widths.get(width ?? 0)
}

/** Families by the width of the tokens that the cross-attention of their UNets takes. */
export const widths: ReadonlyMap<number, Family> =
  new Map([[768, 'sd1'], [1024, 'sd2'], [2048, 'sdxl'], [1280, 'sdxl-refiner']])

/**
 * Only that of XL has two text encoders, and only its blocks have the names of the original code; of others the width
 * of what the UNet attends to tells.
 */
function loraFamily(tensors: Tensors, names: readonly string[]): Family | undefined {
  if (names.some((name) => /^lora_te2_|^text_encoder_2\.|^lora_unet_(input|output)_blocks_/.test(name))) return 'sdxl'
  const key = names.find((name) => /attn2[._](processor\.)?to_k[._]lora(_A|[._]down)/.test(name))
  return widths.get((key === undefined ? undefined : tensors.info(key)?.shape[1]) ?? 0)
}
