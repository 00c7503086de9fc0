import { CheckpointError } from '@antipode/core'
import type { FolderSource } from '@antipode/core/io'
import type { Initialiser, StateSource } from '@antipode/core/nn'
import {
  clipTextModelWithProjection, type CLIPTextModelWithProjection, clipVisionModelWithProjection,
  type CLIPVisionModelWithProjection, openCheckpoint,
} from '@antipode/models'
import { reading } from './files.ts'
import type { Loading } from './loaded-reward.ts'

/** A CLIP of transformers, while its files are open. */
interface OpenClip {
  readonly state: StateSource
  /** Its text tower, to be loaded. @throws {ConfigError} if its configuration is not understood */
  text(init: Initialiser): CLIPTextModelWithProjection
  /** Its vision tower, the same way. */
  vision(init: Initialiser): CLIPVisionModelWithProjection
}

/**
 * Opens the folder of a whole CLIP, `config.json` beside `model.safetensors`, for as long as `use` takes.
 * @throws {CheckpointError} if it is of something else
 */
export async function withClip<T>(
  loading: Loading, source: FolderSource, use: (clip: OpenClip) => Promise<T>,
): Promise<T> {
  await using checkpoint = await openCheckpoint(source, reading(loading))
  const { className } = checkpoint
  if (className !== 'CLIPModel') {
    throw new CheckpointError(
      `loadReward: expected CLIPModel in config.json for ${loading.name}, got ${className}; pass the folder of a ` +
        'whole CLIP',
    )
  }
  const { config, weights } = checkpoint.component('model')
  const state = await weights()
  const tensors = [...state.names()].length
  // Both towers project to one space, whose width files say once, or again for each.
  const { projection_dim = 512 } = config
  const tower = (name: string): object => ({ ...(config[name] ?? {}) as object, projection_dim }) // towers check fields
  return await use({
    state,
    text: (init) => clipTextModelWithProjection.build(init, tower('text_config'), tensors),
    vision: (init) => clipVisionModelWithProjection.build(init, tower('vision_config'), tensors),
  })
}
