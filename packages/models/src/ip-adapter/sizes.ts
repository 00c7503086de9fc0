import { CheckpointError } from '@antipode/core'
import type { StateSource } from '@antipode/core/nn'
import { identify } from '../checkpoints/index.ts'

/** Sizes of an IP-Adapter. */
export interface Sizes {
  /** Numbers of an image's embedding. */
  readonly embedding: number
  /** Tokens that an image becomes, and their width. */
  readonly tokens: number
  readonly width: number
  /** Widths of the keys of each cross-attention. */
  readonly layers: readonly number[]
}

/** Kinds that are not read here, by a tensor that they alone have. */
const others: readonly (readonly [name: string, what: string])[] = [
  ['image_proj.latents', 'an IP-Adapter Plus, which looks at all patches of an image'],
  ['image_proj.proj.3.weight', 'a full-face IP-Adapter, which looks at all patches of an image'],
  ['image_proj.perceiver_resampler.proj_in.weight', 'an IP-Adapter FaceID Plus'],
  ['image_proj.proj.0.weight', 'an IP-Adapter FaceID'],
]

/** Sizes by the shapes of a file. @throws {CheckpointError} that says what it is instead */
export function sizesOf(file: StateSource): Sizes {
  const shape = (name: string): readonly number[] => file.info(name)?.shape ?? []
  const known = others.find(([name]) => file.info(name))
  const [rows = 0, embedding = 0] = shape('image_proj.proj.weight')
  const [width = 0] = shape('image_proj.norm.weight')
  const layers: number[] = []
  for (let n = 1; ; n += 2) {
    const [outputs] = shape(`ip_adapter.${n}.to_k_ip.weight`)
    if (outputs === undefined) break
    layers.push(outputs)
  }
  if (!known && rows > 0 && width > 0 && rows % width === 0 && layers.length > 0) {
    return { embedding, tokens: rows / width, width, layers }
  }
  throw new CheckpointError(
    'loadIPAdapter: expected image_proj.proj, image_proj.norm and ip_adapter.1.to_k_ip, of an IP-Adapter that takes ' +
      `the embedding of an image, got ${known?.[1] ?? identify(file).what}; load such a one`,
  )
}
