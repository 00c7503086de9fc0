import type { Tensor } from '@antipode/core'
import { checkOptions } from '@antipode/core/options'
import type { Component } from '../checkpoints/index.ts'
import { CLIPModel, type CLIPTextModelWithProjection, type CLIPVisionModelWithProjection } from '../clip/index.ts'
import { type SaveOptions, saveRanges } from './entries.ts'
import { openSaveFolder, saveComponent } from './save-checkpoint.ts'

/** What {@link saveClip} writes. */
export interface ClipParts {
  readonly text: CLIPTextModelWithProjection
  readonly vision: CLIPVisionModelWithProjection
  /** The logarithm of the temperature's inverse, one number. */
  readonly logitScale: Tensor
  /** As `tokenizerComponent` makes it, or an open checkpoint has it. */
  readonly tokenizer: Component
}

/** What CLIP's pictures are normalised by. Source: openai/CLIP, `clip.py`. */
const statistics = {
  image_mean: [0.48145466, 0.4578275, 0.40821073], image_std: [0.26862954, 0.26130258, 0.27577711],
}

/**
 * Writes a CLIP as transformers lays it out, with its tokenizer and what prepares its pictures, in one folder: what
 * `loadReward` of @antipode/rewards opens as `clip` or `pick-score`. Each file appears complete or not at all.
 * @throws {ConfigError} on an unknown option @throws {CheckpointError} if it cannot be written
 * @throws {UnsupportedError} where there is no Node
 */
export async function saveClip(
  folder: string, { text, vision, logitScale, tokenizer }: ClipParts, options: SaveOptions = {},
): Promise<void> {
  checkOptions('saveClip', options, saveRanges)
  const { side } = vision.resolved
  const none = (): Promise<undefined> => Promise.resolve(undefined)
  const processor: Component = {
    className: 'CLIPImageProcessor', weights: tokenizer.weights, text: none,
    config: {
      image_processor_type: 'CLIPImageProcessor', do_resize: true, size: { shortest_edge: side }, resample: 3,
      do_center_crop: true, crop_size: { height: side, width: side }, do_rescale: true, rescale_factor: 1 / 255,
      do_normalize: true, ...statistics, do_convert_rgb: true,
    },
  }
  await openSaveFolder(folder)
  await saveComponent(folder, 'tokenizer', tokenizer, options)
  await saveComponent(folder, 'processor', processor, options)
  await saveComponent(folder, 'model', new CLIPModel(text, vision, logitScale), options)
}
