import { Device } from '@antipode/core'
import { loadAutoencoder } from '@antipode/models'
import { encodePng, reconstruct } from '@antipode/pipelines'
import { readPicture, writePicture } from '../pictures.ts'
import { compilingProgress, type Progress } from '../progress/index.ts'

/** Options of {@link runReconstruct}. */
export interface ReconstructCommandOptions {
  readonly image: string
  readonly model: string
  readonly variant?: string
  readonly dtype: 'f32' | 'f16' | 'bf16'
  readonly out: string
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** How near a picture came back, and where it is. */
export interface ReconstructResult {
  readonly file: string
  readonly model: string
  readonly width: number
  readonly height: number
  /** Channels, height and width. */
  readonly latents: readonly number[]
  readonly decibels: number
}

/** Encodes a picture by an autoencoder, decodes it again, and says how near it comes. */
export async function runReconstruct(options: ReconstructCommandOptions): Promise<ReconstructResult> {
  const { image, model, variant, dtype, out, signal } = options
  const progress = compilingProgress(options.progress)
  const picture = await readPicture(image)
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const loading = progress.phase(`loading ${model}`, 1)
  using vae = await loadAutoencoder(device, model, { dtype, signal, ...(variant === undefined ? {} : { variant }) })
  loading.done()
  const working = progress.phase('encoding and decoding', 1)
  const made = await reconstruct(vae, picture, { signal })
  working.done()
  await writePicture('reconstruct', out, encodePng(made.picture))
  const { width, height } = made.picture
  return { file: out, model: vae.className, width, height, latents: made.latents.slice(1), decibels: made.decibels }
}

/** What came back, as a reader takes it in. */
export function reconstructText({ file, model, width, height, latents, decibels }: ReconstructResult): string {
  return `${file}\n${decibels.toFixed(2)} dB by ${model}, ${width}×${height} pixels as latents of ${latents.join('×')}\n`
}
