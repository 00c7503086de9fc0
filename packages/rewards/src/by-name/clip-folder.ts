import { CheckpointError } from '@antipode/core'
import type { FolderSource } from '@antipode/core/io'
import type { StateSource } from '@antipode/core/nn'
import { openCheckpoint } from '@antipode/models'
import type { ClipTowersConfig } from '../clip-towers.ts'
import { reading } from './files.ts'
import type { Loading } from './loaded-reward.ts'

/** A CLIP of transformers, while its files are open. */
interface OpenClip {
  readonly config: ClipTowersConfig
  readonly state: StateSource
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
  return await use({ config: towersConfig(config), state: await weights() })
}

/** Both towers project to one space, whose width files say once, or again for each. */
function towersConfig(config: Readonly<Record<string, unknown>>): ClipTowersConfig {
  const { projection_dim: projection = 512 } = config
  // Towers check each field.
  const tower = (name: string): object => ({ ...(config[name] ?? {}) as object, projection_dim: projection })
  return { text: tower('text_config'), vision: tower('vision_config') }
}
