import { ConfigError, ShapeError, type Tensor } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import { checkArgument, finite } from '@antipode/core/options'
import type { PreparedOptions } from './options.ts'

/** A request with its defaults filled in and its parts held against each other. */
export interface Request {
  /** `[P]` */
  readonly prompts: readonly string[]
  /** `[P]`, or undefined where none was given. */
  readonly negatives: readonly string[] | undefined
  /** Images for each prompt. */
  readonly copies: number
  /** P · copies. */
  readonly rows: number
  readonly height: number
  readonly width: number
  /** Weights of adapters in each branch. */
  readonly positive: AdapterWeights
  readonly negative: AdapterWeights
}

/** What a request is held to. */
export interface Limits {
  /** How the user called. */
  readonly where: string
  /** Height and width of the pictures that the model was trained on, in pixels. */
  readonly side: readonly number[]
  /** Pixels for a latent, along a side. */
  readonly scale: number
  /** Channels of latents. */
  readonly channels: number
  /** Names of the adapters that there are. */
  readonly adapters: readonly string[]
}

/** A side must be divisible by it, whatever the autoencoder's scale: UNets halve latents three times. */
const multiple = 8

/** @throws {ConfigError | ShapeError} that names what does not fit */
export function resolveRequest(options: PreparedOptions, limits: Limits): Request {
  const { where } = limits
  const prompts = typeof options.prompt === 'string' ? [options.prompt] : options.prompt
  if (prompts.length === 0)
    throw new ConfigError(`${where}: expected a prompt, got an empty list; pass one text or more`)
  const copies = options.imagesPerPrompt ?? 1
  const rows = prompts.length * copies
  const { seed } = options
  if (Array.isArray(seed) && seed.length !== rows) {
    throw new ConfigError(`${where}: expected ${rows} seeds, one for each image, got ${seed.length}`)
  }
  const { height, width } = sizeOf(options, limits)
  const { positive = {}, negative = positive, perturbed } = options
  for (const weights of [positive, negative, typeof perturbed === 'object' ? perturbed : {}]) checkAdapters(limits, weights)
  const request = {
    positive,
    negative,
    prompts,
    negatives: perPrompt(where, 'negativePrompt', options.negativePrompt, prompts.length),
    copies,
    rows,
    height,
    width,
  }
  checkImages(options, request, limits)
  return request
}

/** One text for all prompts, or one for each. @throws {ConfigError} if their numbers differ */
export function perPrompt(
  where: string,
  name: string,
  texts: string | readonly string[] | undefined,
  prompts: number,
): readonly string[] | undefined {
  if (texts === undefined) return undefined
  const all = typeof texts === 'string' ? new Array<string>(prompts).fill(texts) : texts
  if (all.length === prompts) return all
  throw new ConfigError(
    `${where}: expected ${name} to be one text or ${prompts}, as many as prompts, got ${all.length}`,
  )
}

function checkAdapters({ where, adapters }: Limits, weights: AdapterWeights): void {
  for (const [name, weight] of Object.entries(weights)) {
    if (!adapters.includes(name)) {
      const there = [...new Set(adapters)].join(', ') || 'it has none'
      throw new ConfigError(`${where}: expected adapters of the pipeline (${there}), got "${name}"; load it first`)
    }
    if (typeof weight !== 'function') checkArgument(where, `the weight of "${name}"`, weight, finite)
  }
}

function sizeOf(
  { height, width, image }: PreparedOptions,
  { where, side, scale, channels }: Limits,
): { readonly height: number; readonly width: number } {
  const pixels = image?.shape[1] === channels && channels !== 3 ? scale : 1
  const [imageHeight = 512, imageWidth = 512] = image ? image.shape.slice(2).map((n) => n * pixels) : side
  const size = { height: height ?? imageHeight, width: width ?? imageWidth }
  const step = Math.max(multiple, scale)
  for (const [name, value] of Object.entries(size)) {
    if (value % step !== 0)
      throw new ConfigError(
        `${where}: expected ${name} to be a multiple of ${step}, got ${value}; ask for ${Math.max(step, Math.round(value / step) * step)}`,
      )
  }
  return size
}

function checkImages(
  options: PreparedOptions,
  { rows, height, width }: Request,
  { where, scale, channels }: Limits,
): void {
  const { image, mask, latents, strength, denoisingStart, denoisingEnd } = options
  const needs = (name: string, given: unknown): void => {
    if (given !== undefined && !image)
      throw new ConfigError(`${where}: expected an image beside ${name}, got none; pass image`)
  }
  needs('mask', mask)
  needs('strength', strength)
  needs('denoisingStart', denoisingStart)
  const inLatents = [height / scale, width / scale]
  const fits = (t: Tensor, batches: readonly number[], sizes: readonly (readonly number[])[]): boolean =>
    batches.includes(t.shape[0] ?? 0) && sizes.some((size) => t.shape.slice(1).join() === size.join())
  const refuse = (name: string, expected: string, t: Tensor, advice: string): never => {
    throw new ShapeError(`${where}: expected ${name} ${expected}, got [${t.shape.join()}]; ${advice}`)
  }
  if (
    image &&
    !fits(
      image,
      [1, rows],
      [
        [3, height, width],
        [channels, ...inLatents],
      ],
    )
  ) {
    refuse(
      'image',
      `[1 or ${rows},3,${height},${width}] or latents [1 or ${rows},${channels},${inLatents.join()}]`,
      image,
      'resize it, or leave out height and width',
    )
  }
  if (mask && !fits(mask, [1], [[1, height, width]]))
    refuse('mask', `[1,1,${height},${width}]`, mask, 'it has the size of the image')
  if (latents && !fits(latents, [rows], [[channels, ...inLatents]])) {
    refuse('latents', `[${rows},${channels},${inLatents.join()}]`, latents, 'a row for each image')
  }
  if (denoisingStart !== undefined && image?.shape[1] !== channels) {
    throw new ConfigError(
      `${where}: expected image to be latents beside denoisingStart, as another pipeline gives them by output: 'latents'`,
    )
  }
  if (denoisingStart !== undefined && strength !== undefined) {
    throw new ConfigError(`${where}: expected either denoisingStart or strength, got both; both say where to begin`)
  }
  if (denoisingEnd !== undefined && denoisingStart !== undefined && denoisingEnd <= denoisingStart) {
    throw new ConfigError(
      `${where}: expected denoisingEnd above denoisingStart, got ${denoisingEnd} and ${denoisingStart}`,
    )
  }
}
