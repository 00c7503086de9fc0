import { type Checkpoint, type StateSource, stateOf } from '@antipode/core/nn'
import { rename, textToOpenClip, unetToLdm, vaeToLdm } from '../keymaps/index.ts'
import { autoencoderKL, clipTextModel, clipTextModelWithProjection, unet2DCondition } from '../registry/index.ts'
import type { Component, Config, OpenCheckpoint } from './checkpoint.ts'
import { textFields, vaeFields } from './defaults.ts'
import type { Family } from './identify.ts'
import { refuse } from './refuse.ts'
import { textPlaces } from './text-places.ts'

/** A checkpoint with the names of its original code, as single files have it. */
export interface OriginalState {
  /** The tensors of each part, none of them read. */
  readonly parts: readonly StateSource[]
  readonly metadata: Readonly<Record<string, string>>
  /** Names of tensors whose presence says something. */
  readonly flags: readonly string[]
  /** What a single file has no place for, in words. */
  readonly lost: readonly string[]
}

/**
 * A checkpoint of Stable Diffusion under the names of its original code, or one UNet or autoencoder of it. The inverse of
 * opening a single file.
 * @throws {CheckpointError} if single files of such checkpoints are not known here
 */
export async function originalState(checkpoint: OpenCheckpoint): Promise<OriginalState> {
  const { className, components } = checkpoint
  const [only] = components.values()
  if (components.size === 1 && only) return { parts: [await alone(only)], metadata: {}, flags: [], lost: [] }
  const family = familyOf(checkpoint)
  if (family === undefined) {
    return refuse(
      'a checkpoint of Stable Diffusion 1, 2 or XL to write into one file', className, 'convert it to a folder instead',
    )
  }
  const [unet, vae] = [checkpoint.component('unet'), checkpoint.component('vae')]
  const texts = textPlaces[family].map((place) => ({ place, component: checkpoint.component(place.name) }))
  const parts = [
    prefixed('model.diffusion_model.', unetToLdm(await named(unet))),
    prefixed('first_stage_model.', vaeToLdm(await named(vae))),
    ...await Promise.all(texts.map(async ({ place: { prefix, original }, component }) => {
      const state = await named(component)
      return prefixed(prefix, original ? textToOpenClip(state) : state)
    })),
  ]
  const { config: { prediction_type: prediction = 'epsilon', rescale_betas_zero_snr: zero } } = checkpoint.component('scheduler')
  const inV = prediction === 'v_prediction'
  const odd = [
    ...assumed('unet', unet.config, { norm_num_groups: 32, ...heads(family) }),
    ...assumed('vae', vae.config, { norm_num_groups: 32, ...vaeFields(family, inV ? 'v_prediction' : 'epsilon') }),
    ...texts.flatMap(({ place, component }) => assumed(place.name, component.config, textFields(place.original))),
  ]
  const written = new Set(['unet', 'vae', ...texts.map(({ place }) => place.name)])
  const rest = [...components.keys()].filter((name) => !written.has(name))
  return {
    parts,
    metadata: { 'modelspec.prediction_type': inV ? 'v' : 'epsilon' },
    flags: [...(inV ? ['v_pred'] : []), ...(zero === true ? ['ztsnr'] : [])],
    lost: [...rest, ...odd],
  }
}

/** By the text encoders that there are, as widths may be anyone's. */
function familyOf({ className, components }: OpenCheckpoint): Family | undefined {
  if (!className.startsWith('StableDiffusion') || !components.has('unet')) return undefined
  if (components.has('text_encoder_2')) return components.has('text_encoder') ? 'sdxl' : 'sdxl-refiner'
  // OpenCLIP's encoders take the exact gelu.
  return components.get('text_encoder')?.config['hidden_act'] === 'gelu' ? 'sd2' : 'sd1'
}

const heads = (family: Family): Config => (family === 'sd1' ? { attention_head_dim: 8 } : {})

/** Fields that readers of single files take for granted, where the checkpoint has others. */
function assumed(name: string, config: Config, fields: object): string[] {
  // Where texts begin, end and are filled up is the tokenizer's to say; how large pictures are, their user's.
  const free = /^(sample_size|(bos|eos|pad)_token_id)$/
  return Object.entries(fields).flatMap(([field, value]) => {
    const own = config[field]
    if (free.test(field) || own === undefined || own === value) return []
    return [`${field} of ${name} (${JSON.stringify(own)}, for which readers take ${JSON.stringify(value)})`]
  })
}

/** Weights under the names that models of their class have now. */
async function named({ className, weights }: Component): Promise<StateSource> {
  const state = await weights()
  const entry = [unet2DCondition, autoencoderKL, clipTextModel, clipTextModelWithProjection]
    .find((one) => one.className === className)
  return entry?.names?.(state) ?? state
}

async function alone(component: Component): Promise<StateSource> {
  const state = await named(component)
  if (component.className === 'UNet2DConditionModel') return unetToLdm(state)
  if (component.className === 'AutoencoderKL') return vaeToLdm(state)
  return state
}

function prefixed(prefix: string, checkpoint: Checkpoint): StateSource {
  return rename(stateOf(checkpoint), (name) => prefix + name)
}
