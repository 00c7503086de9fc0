import type { Tensor } from '@antipode/core'
import { encodePng, type ImageSettings, type Pixels, postprocessImages, settingsText } from '../images/index.ts'
import type { GenerateOptions } from '../request/index.ts'

/** A picture of 8 bits a channel, red, green, blue and alpha: what `ImageData` takes, with what it was drawn by. */
export interface GeneratedImage extends Pixels {
  readonly settings: ImageSettings
  /** The picture as a PNG file, which has the settings in it. */
  png(): Uint8Array<ArrayBuffer>
}

/** What a run gives, by the kind of output. */
export interface Outputs {
  readonly images: { readonly images: readonly GeneratedImage[] }
  /** Pixels `[B, 3, H, W]` in [0, 1]; dispose it. */
  readonly pixels: { readonly pixels: Tensor }
  /** Latents `[B, C, h, w]` as the UNet knows them; dispose them. */
  readonly latents: { readonly latents: Tensor }
}

/** Pictures of pixels in [0, 1], each with its settings. @param finish what is done to each */
export async function imagesOf(
  pixels: Tensor,
  settings: (row: number) => ImageSettings,
  finish = (image: Pixels): Pixels => image,
): Promise<Outputs['images']> {
  const all = await postprocessImages(pixels, { denormalize: false })
  return {
    images: all.map(finish).map((image, row) => {
      const own = { ...settings(row), width: image.width, height: image.height }
      return { ...image, settings: own, png: () => encodePng(image, { text: settingsText(own) }) }
    }),
  }
}

/** What one picture of a run was drawn by. */
export function settingsOf(
  options: GenerateOptions,
  row: number,
  defaults: { readonly guidanceScale: number; readonly scheduler: string },
): ImageSettings {
  const {
    prompt,
    negativePrompt,
    imagesPerPrompt = 1,
    steps = 50,
    seed = 0,
    guidanceScale = defaults.guidanceScale,
    guidanceRescale,
    strength,
    clipSkip,
    positive,
    negative,
  } = options
  const own = (texts: string | readonly string[]): string =>
    typeof texts === 'string' ? texts : (texts[Math.floor(row / imagesPerPrompt)] ?? '')
  const known = {
    prompt: own(prompt),
    negativePrompt: negativePrompt === undefined ? undefined : own(negativePrompt),
    steps,
    scheduler: options.scheduler?.name ?? defaults.scheduler,
    guidanceScale,
    guidanceRescale,
    seed: typeof seed === 'number' ? seed : seed[row],
    row: typeof seed === 'number' && row > 0 ? row : undefined,
    strength,
    clipSkip,
    positive,
    negative,
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}
