import { CheckpointError, ConfigError, type Tensor } from '@antipode/core'
import type { SafetensorsSource } from '@antipode/core/io'
import { placeholders } from '@antipode/core/nn'
import {
  type CheckpointSource, clipVisionModelWithProjection, type CLIPVisionModelWithProjection, type IPAdapter, loadIPAdapter,
  openCheckpoint, type UNet2DConditionModel,
} from '@antipode/models'
import { clipImages } from '@antipode/rewards'
import { repeatRows } from '../prompt/index.ts'
import type { RunCondition } from './family.ts'

/** Images as prompts: an IP-Adapter of a pipeline. */
export interface PipelineImagePrompts {
  /** Whether there is one. */
  readonly loaded: boolean
  /**
   * Loads an IP-Adapter (Ye et al. 2023, arXiv 2308.06721), in place of the one before, and the CLIP vision tower that it
   * was trained with.
   * @param imageEncoder folder of the tower
   * @throws {CheckpointError} if one is something else, or they do not fit each other and the UNet
   * @example
   * await pipe.ipAdapter.load('ip-adapter_sd15.safetensors', 'image_encoder')
   * await pipe({ prompt: 'a cat', ipAdapter: { image, scale: 0.6 } })
   */
  load(source: SafetensorsSource, imageEncoder: CheckpointSource): Promise<void>
  /** Takes it off, and frees it. */
  remove(): void
}

/** The IP-Adapter of a pipeline, which it owns. */
export class ImagePrompts implements PipelineImagePrompts, Disposable {
  readonly #unet: UNet2DConditionModel
  #own: { readonly adapter: IPAdapter; readonly encoder: CLIPVisionModelWithProjection } | undefined

  constructor(unet: UNet2DConditionModel) {
    this.#unet = unet
  }

  get loaded(): boolean {
    return this.#own !== undefined
  }

  get adapter(): IPAdapter | undefined {
    return this.#own?.adapter
  }

  /** Weights of the adapter and of its tower. */
  parameters(): Tensor[] {
    return this.#own ? [...this.#own.adapter.parameters(), ...this.#own.encoder.parameters()] : []
  }

  async load(source: SafetensorsSource, imageEncoder: CheckpointSource): Promise<void> {
    const { device, dtype } = this.#unet
    const adapter = await loadIPAdapter(device, source, { dtype })
    let encoder: CLIPVisionModelWithProjection | undefined
    try {
      adapter.checkFits(this.#unet)
      encoder = await visionTower(this.#unet, imageEncoder)
      const embedding = encoder.resolved.projection
      if (embedding !== adapter.sizes.embedding) {
        throw new CheckpointError(
          `ipAdapter: expected a vision tower that projects to ${adapter.sizes.embedding} numbers, got one of ${embedding}; ` +
            'pass the folder of the tower that the adapter was trained with',
        )
      }
    } catch (error) {
      adapter.dispose()
      encoder?.dispose()
      throw error
    }
    this.remove()
    this.#own = { adapter, encoder }
  }

  remove(): void {
    this.#own?.adapter.dispose()
    this.#own?.encoder.dispose()
    this.#own = undefined
  }

  /** Conditions that have tokens of an image, those of no image in the negative branch. @param image `[1 or rows, 3, H, W]` in [0, 1] */
  told(where: string, condition: RunCondition, image: Tensor | undefined, rows: number): RunCondition {
    if (!this.#own) throw new ConfigError(`${where}: expected an IP-Adapter beside ipAdapter, got none; load one by pipe.ipAdapter.load`)
    const { adapter, encoder } = this.#own
    if (image && image.shape[0] !== 1 && image.shape[0] !== rows) {
      throw new ConfigError(`${where}: expected one image in ipAdapter, or ${rows}, one a row, got ${image.shape[0]}`)
    }
    const embeds = image && encoder.forward(clipImages(image, { side: encoder.resolved.side }).to(encoder.dtype)).imageEmbeds
    const { embedding } = adapter.sizes
    const tokens = adapter.tokens(embeds ?? placeholders(encoder.device, { dtype: 'f32' }).filled([1, embedding], 0))
    return { ...condition, imageTokens: tokens.shape[0] === rows ? tokens : repeatRows(tokens, rows) }
  }

  [Symbol.dispose](): void {
    this.remove()
  }
}

async function visionTower(
  { device, dtype }: UNet2DConditionModel,
  source: CheckpointSource,
): Promise<CLIPVisionModelWithProjection> {
  await using checkpoint = await openCheckpoint(source)
  const entry = clipVisionModelWithProjection
  const part = [...checkpoint.components.values()].find(({ className }) => className === entry.className)
  if (!part) {
    throw new CheckpointError(
      `ipAdapter: expected a folder of ${entry.className}, got ${checkpoint.className}; pass that of the image encoder`,
    )
  }
  const state = await part.weights()
  const narrow = dtype === 'f16' || dtype === 'bf16' ? dtype : 'f32'
  const model = entry.build(placeholders(device, { dtype: narrow }), part.config, [...state.names()].length)
  await model.load(entry.names?.(state) ?? state)
  return model
}
