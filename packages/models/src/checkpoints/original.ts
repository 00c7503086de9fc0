import type { Folder } from '@antipode/core/io'
import type { StateSource } from '@antipode/core/nn'
import { ldmUNet, ldmVae, openClipText, rename } from '../keymaps/index.ts'
import { clipTextModel } from '../registry/index.ts'
import type { Component, Config } from './checkpoint.ts'
import {
  pipelineFields, pipelineOf, type PredictionType, schedulerConfig, textFields, tokenizerConfig, unetFields, vaeFields,
} from './defaults.ts'
import type { Contents } from './diffusers-folder.ts'
import { familyNames, type Identity } from './identify.ts'
import { refuse } from './refuse.ts'
import { additionInputs, textConfigOf, unetConfigOf, vaeConfigOf } from './shapes.ts'
import { type TextPlace, textPlaces } from './text-places.ts'

/**
 * A checkpoint of Stable Diffusion in one file, as the components that diffusers makes of it.
 * @throws {CheckpointError} if a part is missing, nothing here draws with it, or it must be told what it predicts
 */
export function originalPipeline(
  state: StateSource,
  { family, what }: Identity,
  told: PredictionType | undefined,
  { tokenizer }: { readonly tokenizer: Folder | undefined },
): Contents {
  const unet = ldmUNet(below(state, 'model.diffusion_model.'))
  const vae = ldmVae(below(state, 'first_stage_model.', 'vae.'))
  const channels = unet.info('conv_in.weight')?.shape[1] ?? 0
  const className = family && pipelineOf(family, channels)
  if (family === undefined || className === undefined) {
    return refuse(
      `a checkpoint of ${Object.values(familyNames).join(', ')} that takes 4 channels, or 9 for inpainting`,
      family ? `${what} that takes ${channels} channels` : 'one that attends to texts of another width',
      'nothing here draws with it',
    )
  }
  if (family === 'sd2' && told === undefined) {
    return refuse(
      `to be told what ${what} predicts, as its tensors do not say it`, 'nothing',
      "pass predictionType: 'v_prediction' for those of 768 pixels, 'epsilon' for those of 512 (base, inpainting)",
    )
  }
  const prediction = told ?? 'epsilon'
  const encoders = textPlaces[family].map((place) => ({ place, state: textState(state, place) }))
  const parts: readonly (readonly [name: string, state: StateSource])[] =
    [['a UNet', unet], ['an autoencoder', vae], ...encoders.map((one) => ['a text encoder', one.state] as const)]
  const lacking = parts.filter(([, part]) => isEmpty(part)).map(([name]) => name)
  if (lacking.length > 0) {
    return refuse(
      `${what} to hold a UNet, an autoencoder and its text encoders`, `one without ${lacking.join(' and ')}`,
      'take the whole checkpoint',
    )
  }
  const pooled = encoders.find(({ place }) => place.projection)?.state.info('text_projection.weight')?.shape[0] ?? 0
  const unetConfig = { ...unetConfigOf(unet), ...unetFields(family, prediction, additionInputs(unet), pooled) }
  const components: [string, Component][] = [
    ['unet', model('UNet2DConditionModel', unetConfig, unet)],
    ['vae', model('AutoencoderKL', { ...vaeConfigOf(vae), ...vaeFields(family, prediction) }, vae)],
    ...encoders.map(({ place, state: own }): [string, Component] => [place.name, textEncoder(place, own)]),
    ...encoders.map(({ place }): [string, Component] => {
      const name = place.name.replace('text_encoder', 'tokenizer')
      return [name, tokenizerFrom(tokenizer, name, tokenizerConfig(place.original))]
    }),
    ['scheduler', scheduler(schedulerConfig(family, prediction, state.info('ztsnr') !== undefined))],
  ]
  return { className, config: pipelineFields(family), components: new Map(components) }
}

/** One model with the names of its original code. */
export function originalModel(state: StateSource, { kind, family, what }: Identity): Contents {
  const inner = below(state, 'diffusion_model.', 'first_stage_model.', 'vae.')
  const own = isEmpty(inner) ? state : inner
  if (kind === 'unet') {
    const unet = ldmUNet(own)
    const fields = family ? unetFields(family, 'epsilon', additionInputs(unet), 0) : {}
    return only('unet', model('UNet2DConditionModel', { ...unetConfigOf(unet), ...fields }, unet))
  }
  if (kind === 'vae') {
    const vae = ldmVae(own)
    return only('vae', model('AutoencoderKL', vaeConfigOf(vae), vae))
  }
  return refuse(
    'a checkpoint, a UNet or an autoencoder', `${what} with the names of OpenCLIP`,
    'load it with CLIPTextModel and openClipText',
  )
}

const only = (name: string, component: Component): Contents =>
  ({ className: component.className, config: {}, components: new Map([[name, component]]) })

/** What begins with the first of some prefixes that there is, without it; nothing if there is none. */
function below(state: StateSource, ...prefixes: readonly string[]): StateSource {
  const names = [...state.names()]
  const prefix = prefixes.find((one) => names.some((name) => name.startsWith(one)))
  if (prefix === undefined) return rename(state, () => undefined)
  return rename(state, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined))
}

const isEmpty = (state: StateSource): boolean => [...state.names()].length === 0

/** OpenCLIP-H has 24 layers; Stable Diffusion 2 leaves out the last. */
const unusedAfter = 23

function textState(state: StateSource, { prefix, original, projection }: TextPlace): StateSource {
  const own = below(state, prefix)
  if (!original) return clipTextModel.names?.(own) ?? own
  return openClipText(own, projection ? {} : { projection, layers: unusedAfter })
}

function textEncoder({ original, projection }: TextPlace, state: StateSource): Component {
  const config = { ...textConfigOf(state), ...textFields(original) }
  return model(projection ? 'CLIPTextModelWithProjection' : 'CLIPTextModel', config, state)
}

function model(className: string, config: object, state: StateSource): Component {
  // Its fields are read by their names.
  return { className, config: config as Config, weights: async () => state, text: async () => undefined }
}

const scheduler = (config: Config): Component => {
  const className = String(config['_class_name'])
  return { className, config, weights: () => noWeights(className), text: async () => undefined }
}

async function noWeights(className: string): Promise<StateSource> {
  return refuse('a model to ask for weights', className, 'it has a configuration alone')
}

function tokenizerFrom(folder: Folder | undefined, name: string, config: Config): Component {
  return {
    className: 'CLIPTokenizer',
    config,
    weights: () => noWeights('CLIPTokenizer'),
    async text(file) {
      if (!folder) {
        return refuse(
          'the files of a tokenizer, which a checkpoint in one file does not hold', 'none',
          'pass tokenizer: a folder with vocab.json and merges.txt, such as that of any Stable Diffusion of diffusers',
        )
      }
      // What fills up prompts differs from encoder to encoder, so that the folder of one would be wrong for another.
      if (file === 'tokenizer_config.json') return JSON.stringify(config)
      if (file === 'special_tokens_map.json') return undefined
      return await folder.text(`${name}/${file}`) ?? await folder.text(`tokenizer/${file}`) ?? folder.text(file)
    },
  }
}
