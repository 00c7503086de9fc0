import { ConfigError } from '@antipode/core'
import type { StateSource } from '@antipode/core/nn'
import {
  type CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, type CLIPVisionConfig, CLIPVisionModelWithProjection,
} from '../clip/index.ts'
import { rename } from '../keymaps/index.ts'
import type { ModelEntry } from './model-entry.ts'

/**
 * CLIP's text tower, from files of its own or of a whole CLIP, with the names of the hub or those that transformers 5
 * saves.
 */
export const clipTextModel: ModelEntry<CLIPTextModel> = {
  className: 'CLIPTextModel',
  build(init, stored, tensors) {
    checkLayers('CLIPTextModel', stored, tensors)
    return new CLIPTextModel(init, stored as CLIPTextConfig) // the model checks each field
  },
  names: (source) => towerNames(source, 'text_model.', []),
}

/** {@link clipTextModel} with its projection. */
export const clipTextModelWithProjection: ModelEntry<CLIPTextModelWithProjection> = {
  className: 'CLIPTextModelWithProjection',
  build(init, stored, tensors) {
    checkLayers('CLIPTextModelWithProjection', stored, tensors)
    return new CLIPTextModelWithProjection(init, stored as CLIPTextConfig) // the model checks each field
  },
  names: (source) => towerNames(source, 'text_model.', ['text_projection']),
}

/** CLIP's vision tower with its projection, from the same kinds of files. */
export const clipVisionModelWithProjection: ModelEntry<CLIPVisionModelWithProjection> = {
  className: 'CLIPVisionModelWithProjection',
  build(init, stored, tensors) {
    checkLayers('CLIPVisionModelWithProjection', stored, tensors)
    return new CLIPVisionModelWithProjection(init, stored as CLIPVisionConfig) // the model checks each field
  },
  names: (source) => towerNames(source, 'vision_model.', ['visual_projection']),
}

/**
 * A layer has many tensors: a configuration of a billion layers would fill the memory before names could be compared.
 */
function checkLayers(where: string, stored: object, tensors: number): void {
  const layers = 'num_hidden_layers' in stored ? Number(stored.num_hidden_layers) : 0
  if (layers <= tensors) return
  throw new ConfigError(
    `${where}: expected num_hidden_layers of ${tensors} at most, as the file has no more tensors, got ${layers}`,
  )
}

/** What a whole CLIP has beside one tower. */
const others = /^(text_model\.|vision_model\.|(text|visual)_projection\.|logit_scale$)/
/** Positions counted from 0, which files of transformers before 4.31 hold as well. */
const counted = /\.position_ids$/

function towerNames(source: StateSource, prefix: string, projections: readonly string[]): StateSource {
  const bare = ![...source.names()].some((name) => name.startsWith(prefix))
  return rename(source, (name) => {
    if (counted.test(name)) return undefined
    if (name.startsWith(prefix) || projections.some((projection) => name.startsWith(`${projection}.`))) return name
    if (others.test(name)) return undefined
    return bare ? prefix + name : name
  })
}
