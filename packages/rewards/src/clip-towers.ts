import { ShapeError, type Tensor } from '@antipode/core'
import { type Checkpoint, type Initialiser, stateOf } from '@antipode/core/nn'
import {
  type CLIPTextConfig, clipTextModelWithProjection, CLIPTextModelWithProjection, type CLIPVisionConfig,
  clipVisionModelWithProjection, CLIPVisionModelWithProjection, openClipText, openClipVision,
} from '@antipode/models'
import { clipImages, type ClipImagesOptions } from './clip-images.ts'
import { unit } from './unit.ts'

/** The two towers of a CLIP, which see pictures and prompts in one space. */
export interface ClipTowers {
  readonly text: CLIPTextModelWithProjection
  readonly vision: CLIPVisionModelWithProjection
}

/** Configurations of the two towers. */
export interface ClipTowersConfig {
  readonly text: CLIPTextConfig
  readonly vision: CLIPVisionConfig
}

/**
 * The towers of OpenCLIP ViT-H/14, which PickScore v1 and HPS v2 and v2.1 were tuned from: 986 million parameters.
 * Source: open_clip `model_configs/ViT-H-14.json`; the ends of prompts are found as their largest ids.
 */
export const clipViTH14: ClipTowersConfig = {
  text: {
    hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16, hidden_act: 'gelu',
    projection_dim: 1024, eos_token_id: 2,
  },
  vision: {
    hidden_size: 1280, intermediate_size: 5120, num_hidden_layers: 32, num_attention_heads: 16, hidden_act: 'gelu',
    image_size: 224, patch_size: 14, projection_dim: 1024,
  },
}

/** Fresh towers, to be loaded. @throws {ConfigError} that names a field which they do not know */
export function clipTowers(init: Initialiser, config: ClipTowersConfig = clipViTH14): ClipTowers {
  return {
    text: new CLIPTextModelWithProjection(init, config.text),
    vision: new CLIPVisionModelWithProjection(init, config.vision),
  }
}

/**
 * Gives towers the parameters of one checkpoint of both: of transformers' `CLIPModel`, as PickScore is published, or of
 * OpenCLIP, as HPS is (what is below its `state_dict`). The temperature of training is left aside.
 * @throws {CheckpointError} if names or shapes are not theirs
 */
export async function loadClipTowers({ text, vision }: ClipTowers, checkpoint: Checkpoint): Promise<void> {
  const state = stateOf(checkpoint)
  if (state.info('visual.conv1.weight')) {
    await text.load(openClipText(state))
    await vision.load(openClipVision(state))
    return
  }
  await text.load(clipTextModelWithProjection.names?.(state) ?? state)
  await vision.load(clipVisionModelWithProjection.names?.(state) ?? state)
}

/**
 * The cosine between each picture `[B, 3, H, W]` in [0, 1] and its prompt, `[B]` in [−1, 1], in f32.
 * @param ids of the prompts, i32 `[B, N]`, of N tokens at most as the text tower has positions
 * @throws {ShapeError} unless there is a prompt for each picture
 */
export function clipCosine(
  where: string, { text, vision }: ClipTowers, images: Tensor, ids: Tensor,
  options: Omit<ClipImagesOptions, 'side'> = {},
): Tensor {
  if (ids.rank !== 2 || ids.shape[0] !== images.shape[0]) {
    const [got, given] = [`[${ids.shape.join()}]`, `[${images.shape.join()}]`]
    throw new ShapeError(`${where}: expected token ids [B, N], of a prompt for each picture, got ${got} for ${given}`)
  }
  const pixels = clipImages(images, { side: vision.resolved.side, ...options }).to(vision.dtype)
  const { textEmbeds, pooled } = text.forward(ids)
  return unit(vision.forward(pixels).imageEmbeds).mul(unit(textEmbeds ?? pooled)).sum({ axes: 1 }) // [B]
}
