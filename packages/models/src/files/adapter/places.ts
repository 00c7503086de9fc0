import { Adaptable, type Module } from '@antipode/core/nn'
import { ldmUNetNames } from '../../keymaps/index.ts'
import type { AdapterComponent } from './components.ts'

/** A layer that files may have tensors for. */
export interface Place {
  readonly component: AdapterComponent
  /** Its name in the model. */
  readonly layer: string
  /** Its name for whoever wrote the file, which is what patterns of PEFT's configuration match. */
  readonly called: string
}

/** What kohya-ss begins names with: a lone text encoder has no number. */
const kohya: Readonly<Record<AdapterComponent, readonly string[]>> = {
  unet: ['lora_unet_', 'lycoris_'], text_encoder: ['lora_te_', 'lora_te1_'], text_encoder_2: ['lora_te2_'],
}

const underscored = (layer: string): string => layer.replaceAll('.', '_')

/** The layers of a model that can carry changes, by name. */
export function layersOf(model: Module): Map<string, Adaptable> {
  return new Map([...model.namedModules()].flatMap(([name, module]) => (
    module instanceof Adaptable ? [[name, module] as const] : []
  )))
}

/**
 * Every layer of the models by every name that files have for it. kohya-ss writes dots as underscores, which cannot be
 * undone, so names are not parsed but looked up here.
 */
export function placesOf(targets: ReadonlyMap<AdapterComponent, Module>): Map<string, Place> {
  const places = new Map<string, Place>()
  const bare = new Map<string, Place | undefined>()
  for (const [component, model] of targets) {
    const layers = [...layersOf(model).keys()]
    const ldm = component === 'unet' ? ldmUNetNames(layers) : new Map<string, string>()
    for (const layer of layers) {
      // transformers ≥ 5.6 has the layers of CLIP's text tower without the first part of their names.
      const short = component === 'unet' ? layer : layer.replace(/^text_model\./, '')
      for (const called of new Set([layer, short])) {
        const place = { component, layer, called }
        places.set(`${component}.${called}`, place)
        // Names without the component tell nothing where two models have such a layer.
        bare.set(called, bare.has(called) ? undefined : place)
      }
      const place = { component, layer, called: layer }
      for (const prefix of kohya[component]) places.set(prefix + underscored(layer), place)
      const old = ldm.get(layer)
      if (old === undefined) continue
      places.set(`model.diffusion_model.${old}`, place).set(`diffusion_model.${old}`, place)
      places.set(`lora_unet_${underscored(old)}`, place)
    }
  }
  for (const [name, place] of bare) if (place) places.set(name, place)
  return places
}

/** The place of a layer by its name in a file, also behind the name that PEFT has for the model that it wraps. */
export function placeOf(places: ReadonlyMap<string, Place>, stem: string): Place | undefined {
  return places.get(stem) ?? places.get(stem.replaceAll('base_model.model.', ''))
}

/** The component that a name is for by its beginning; undefined where it does not say. */
export function componentNamed(name: string): AdapterComponent | undefined {
  if (/^(base_model\.model\.)?(lora_unet_|unet\.)/.test(name)) return 'unet'
  if (/^(base_model\.model\.)?(lora_te1?_|text_encoder\.)/.test(name)) return 'text_encoder'
  return /^(base_model\.model\.)?(lora_te2_|text_encoder_2\.)/.test(name) ? 'text_encoder_2' : undefined
}
