import { ShapeError, type Tensor } from '@antipode/core'
import { type Checkpoint, type Initialiser, Linear, Module } from '@antipode/core/nn'
import {
  type CLIPTextModelWithProjection, type CLIPVisionModelWithProjection, rename, TimestepEmbedding, timestepEmbedding,
} from '@antipode/models'
import { clipImages, halfToEven } from './clip-images.ts'
import { clipTowers, type ClipTowersConfig, clipViTH14 } from './clip-towers.ts'
import { checkPictures, resizePart } from './resize.ts'
import { unit } from './unit.ts'

/** Waves that a timestep becomes. */
const waves = 256

/** What the timestep does to a vision tower: adaLN of DiT (Peebles and Xie 2022, arXiv 2212.09748, section 3.2). */
class TimeModulation extends Module {
  readonly embedder: TimestepEmbedding
  /** Shift, scale and gate of attention, and those of the feed-forward, for each layer. */
  readonly layers: readonly Linear[]
  /** Shift and scale of the class token after the last norm. */
  readonly pooled: Linear

  constructor(init: Initialiser, width: number, layers: number) {
    super()
    this.embedder = new TimestepEmbedding(init, waves, width)
    this.layers = Array.from({ length: layers }, () => Linear.of(init, width, 6 * width))
    this.pooled = Linear.of(init, width, 2 * width)
  }
}

/**
 * SPO's step-aware preference model: PickScore's CLIP, whose vision tower is told the timestep, so that it can judge
 * the estimates of clean pictures that a model makes while it samples.
 * Source: Liang et al. 2024, arXiv 2406.04314, section 3.2; RockeyCoss/SPO, `time_conditioned_clip.py`.
 */
export class StepAwareModel extends Module {
  readonly text: CLIPTextModelWithProjection
  readonly vision: CLIPVisionModelWithProjection
  readonly time: TimeModulation
  /** Logarithm of what cosines are multiplied by, `[]`. */
  readonly logitScale: Tensor

  /** To be loaded by {@link loadStepAwareModel}. @throws {ConfigError} that names a field which it does not know */
  constructor(init: Initialiser, config: ClipTowersConfig = clipViTH14) {
    super()
    const { text, vision } = clipTowers(init, config)
    this.text = text
    this.vision = vision
    this.time = new TimeModulation(init, vision.resolved.width, vision.resolved.layers)
    this.logitScale = init.filled([], Math.log(100))
  }

  /** Embeddings `[B, projection_dim]` of pictures as CLIP takes them, at timesteps `[B]`. */
  imageEmbeds(images: Tensor, timesteps: Tensor): Tensor {
    const { visionModel: { embeddings, preLayrnorm, encoder, postLayernorm }, visualProjection } = this.vision
    const told = this.time.embedder.forward(timestepEmbedding(timesteps, waves)).silu() // [B, width]
    const x = encoder.layers.reduce((h, { layerNorm1, selfAttn, layerNorm2, mlp }, i) => {
      const [attending, inner] = partsOf(this.time.layers[i]!.forward(told), 2) as [Tensor, Tensor]
      const seen = h.add(gated(attending, layerNorm1.forward(h), (y) => selfAttn.forward(y, false)))
      return seen.add(gated(inner, layerNorm2.forward(seen), (y) => mlp.forward(y)))
    }, preLayrnorm.forward(embeddings.forward(images))) // [B, 1 + patches, width]
    const [shift, scale] = partsOf(this.time.pooled.forward(told), 2) as [Tensor, Tensor]
    return visualProjection.forward(moved(postLayernorm.forward(x.slice(1, 0, 1)), shift, scale).squeeze(1))
  }
}

/** Numbers of each sample in equal parts, each `[B, 1, ...]`. */
function partsOf(all: Tensor, count: number): readonly Tensor[] {
  const each = all.reshape([all.shape[0] ?? 0, count, -1])
  return Array.from({ length: count }, (_, i) => each.slice(1, i, i + 1))
}

/** What a layer makes of a shifted and scaled x, times a gate: all three from one part of the modulation. */
function gated(part: Tensor, x: Tensor, layer: (x: Tensor) => Tensor): Tensor {
  const [shift, scale, gate] = partsOf(part, 3) as [Tensor, Tensor, Tensor]
  return layer(moved(x, shift, scale)).mul(gate)
}

function moved(x: Tensor, shift: Tensor, scale: Tensor): Tensor {
  return x.mul(scale.add(1)).add(shift)
}

/**
 * Scores `[B]` of pictures `[B, 3, H, W]` in [0, 1] with prompts, i32 `[B, N]`, at timesteps `[B]` (0 for what is
 * clean): exp(logit scale)·cos, in f32. It is `score` of `branchingPairs`, once samples are decoded. Pictures are
 * resized without antialiasing, cut and clamped as released. With gradients to the pixels, where they are not clamped.
 * @throws {ShapeError} unless there is a picture of three colours for each prompt and timestep
 */
export function stepAwareScore(model: StepAwareModel, images: Tensor, ids: Tensor, timesteps: Tensor): Tensor {
  checkPictures('stepAwareScore', images, 3)
  const [count = 0, , height = 0, width = 0] = images.shape
  if (ids.rank !== 2 || ids.shape[0] !== count || timesteps.shape.join() !== `${count}`) {
    const [got, at] = [`[${ids.shape.join()}]`, `[${timesteps.shape.join()}]`]
    const expected = `token ids [${count}, N] and timesteps [${count}]`
    throw new ShapeError(`stepAwareScore: expected ${expected}, got ${got} and ${at}; give one of each a picture`)
  }
  const { side } = model.vision.resolved
  const to = (size: number): number => Math.floor(size * (side / Math.min(height, width)) + 0.5)
  const middle = (size: number): readonly [number, number] => [halfToEven((to(size) - side) / 2), side]
  const square = resizePart(images, {
    antialias: false, to: [to(height), to(width)], rows: middle(height), columns: middle(width),
  })
  const seen = model.imageEmbeds(clipImages(square.clamp(0, 1), { side }).to(model.vision.dtype), timesteps)
  const { textEmbeds, pooled } = model.text.forward(ids)
  return unit(seen).mul(unit(textEmbeds ?? pooled)).sum({ axes: 1 }).mul(model.logitScale.to('f32').exp())
}

/** Names of a file as those of the model. */
const names: readonly (readonly [published: RegExp, own: string])[] = [
  [/^t_embedder\.mlp\.0\./, 'time.embedder.linear_1.'], [/^t_embedder\.mlp\.2\./, 'time.embedder.linear_2.'],
  [/^vision_model\.encoder\.layers\.(\d+)\.adaLN_modulation\.1\./, 'time.layers.$1.'],
  [/^vision_model\.adaLN_modulation\.1\./, 'time.pooled.'],
  [/^(?=(text_model|text_projection)\.)/, 'text.'], [/^(?=(vision_model|visual_projection)\.)/, 'vision.'],
]

/**
 * Gives a model the parameters of a published file, `sd-v1-5_step-aware_preference_model.bin` or that of SDXL.
 * @throws {CheckpointError} if names or shapes are not its
 */
export async function loadStepAwareModel(model: StepAwareModel, checkpoint: Checkpoint): Promise<void> {
  await model.load(rename(checkpoint, (stored) => {
    if (stored.endsWith('.position_ids')) return undefined // Counted from 0, in files of old versions.
    const name = stored.replace(/^model\./, '')
    const found = names.find(([published]) => published.test(name))
    return found ? name.replace(...found) : name
  }))
}
