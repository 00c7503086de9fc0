import type { Module } from '@antipode/core/nn'
import { ldmUNetNames } from '../../keymaps/index.ts'
import type { AdapterComponent } from './components.ts'
import { layersOf } from './places.ts'

/** How an adapter file is written: as diffusers, PEFT or kohya-ss's scripts write it. */
export type AdapterFormat = 'diffusers' | 'peft' | 'kohya'

/** What a format calls a layer. */
export type LayerNaming = (component: AdapterComponent, layer: string) => string

/**
 * The names that a format has for the layers of models.
 * @param alone whether one model is written by itself, without the name that it has in a pipeline
 */
export function layerNaming(
  format: AdapterFormat,
  targets: ReadonlyMap<AdapterComponent, Module>,
  alone: boolean,
): LayerNaming {
  if (format === 'peft') {
    // transformers ≥ 5.6 has CLIP's text tower without the first part of its names, unless it has a projection.
    return (component, layer) => (
      `base_model.model.${component === 'text_encoder' ? layer.replace(/^text_model\./, '') : layer}`
    )
  }
  if (format === 'diffusers') return (component, layer) => (alone ? layer : `${component}.${layer}`)
  const unet = targets.get('unet')
  const names = unet ? [...layersOf(unet).keys()] : []
  // kohya-ss's scripts have a UNet of their own for XL, with LDM's names, and diffusers' for the others.
  const xl = targets.has('text_encoder_2') || names.some((name) => name.startsWith('add_embedding.'))
  const ldm = xl ? ldmUNetNames(names) : new Map<string, string>()
  const prefixes: Readonly<Record<AdapterComponent, string>> = {
    unet: 'lora_unet_', text_encoder: xl ? 'lora_te1_' : 'lora_te_', text_encoder_2: 'lora_te2_',
  }
  return (component, layer) => {
    const name = component === 'unet' ? ldm.get(layer) ?? layer : layer
    return prefixes[component] + name.replaceAll('.', '_')
  }
}

const kohyaKeys: Readonly<Record<string, string>> = {
  'lora_A.weight': 'lora_down.weight', 'lora_B.weight': 'lora_up.weight',
}

/** What a format has behind the name of the layer for a tensor that PEFT calls `key`. */
export function keyIn(format: AdapterFormat, key: string): string {
  return format === 'kohya' ? kohyaKeys[key] ?? key : key
}
