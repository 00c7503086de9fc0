import { ConfigError, evaluate, type Tensor, tensor } from '@antipode/core'
import { checkOptions, required, whole } from '@antipode/core/options'
import { rng } from '@antipode/core/random'
import { clipImages } from '@antipode/rewards'
import type { SquarePictures } from '../squares/index.ts'
import { checkClip, type ClipModels } from './clip-models.ts'

/** Options of {@link retrieval}. */
export interface RetrievalOptions {
  /** Different captions that each picture is compared with, its own included: whole, 2 or more. */
  readonly among: number
  /** How near its own must be, whole, 1 or more: 1, the default, is the nearest. */
  readonly top?: number
  /** Of which other captions there are; 0 by default. */
  readonly seed?: number
  /** Pictures, and captions, that a tower sees at once; 64 by default. */
  readonly batch?: number
}

/**
 * The share of pictures, in [0, 1], whose own caption is among the `top` nearest, by cosine, of `among` captions. Of
 * several captions the first is meant, and the others are not among those that it competes with, which are drawn by the
 * seed for each picture, without repetition. A caption that is as near counts as nearer: towers that see no difference
 * find nothing.
 * Source: R-precision of Xu et al. 2018 (AttnGAN), arXiv 1711.10485, section 4, whose `among` is 100.
 * @throws {ConfigError} if an option is unknown or outside its range, there are too few captions, or as `trainClip` does
 */
export async function retrieval(models: ClipModels, data: SquarePictures, options: RetrievalOptions): Promise<number> {
  checkOptions('retrieval', options, { among: required(whole(2)), top: whole(1), seed: whole(0), batch: whole(1) })
  checkClip('retrieval', models, data)
  const { among, top = 1, seed = 0, batch = 64 } = options
  const texts = [...new Set(data.captions.flat())]
  const placeOf = new Map(texts.map((text, place) => [text, place]))
  const contests = data.captions.map((captions, stream) => {
    const own = captions.map((caption) => placeOf.get(caption)!)
    return { own: own[0]!, others: drawn(texts.length, new Set(own), { count: among - 1, seed, stream }) }
  })
  const pictures = await embedded(data.captions.length, batch, (start, count) => seen(models, data, start, count))
  const prompts = await embedded(texts.length, batch, (start, count) => read(models, texts.slice(start, start + count)))
  const found = contests.filter(({ own, others }, place) => {
    const cosine = (text: number): number => dot(pictures[place]!, prompts[text]!)
    const wanted = cosine(own)
    return others.filter((other) => cosine(other) >= wanted).length < top
  })
  return found.length / contests.length
}

/** Different captions that are none of a picture's own. @throws {ConfigError} if there are not as many */
function drawn(
  total: number, own: ReadonlySet<number>,
  { count, seed, stream }: { readonly count: number; readonly seed: number; readonly stream: number },
): number[] {
  if (total - own.size < count) {
    throw new ConfigError(
      `retrieval: expected ${count} captions beside those of picture ${stream}, got ${total - own.size}; lower among`,
    )
  }
  const random = rng(seed, { stream })
  const others = new Set<number>()
  while (others.size < count) {
    const place = random.int(total)
    if (!own.has(place)) others.add(place)
  }
  return [...others]
}

/** Unit vectors of many things, some at a time. */
async function embedded(
  total: number, batch: number, embed: (start: number, count: number) => Promise<Tensor>,
): Promise<Float64Array[]> {
  const rows: Float64Array[] = []
  for (let start = 0; start < total; start += batch) {
    using embeds = await embed(start, Math.min(batch, total - start))
    const numbers = await embeds.data()
    const [count = 0, width = 0] = embeds.shape
    for (let row = 0; row < count; row++) {
      const own = Float64Array.from(numbers.slice(row * width, (row + 1) * width))
      const length = Math.hypot(...own) || 1
      rows.push(own.map((v) => v / length))
    }
  }
  return rows
}

async function seen({ vision }: ClipModels, { pictures, side }: SquarePictures, start: number, count: number): Promise<Tensor> {
  const pixels = 3 * side * side
  const numbers = Float32Array.from(pictures.subarray(start * pixels, (start + count) * pixels), (byte) => byte / 255)
  using images = tensor(vision.device, numbers, [count, 3, side, side])
  const { imageEmbeds } = vision.forward(clipImages(images, { side: vision.resolved.side }).to(vision.dtype))
  await evaluate(imageEmbeds)
  return imageEmbeds
}

async function read({ text, tokenizer }: ClipModels, texts: readonly string[]): Promise<Tensor> {
  const rows = texts.flatMap((one) => tokenizer.padded(one).ids)
  using ids = tensor(text.device, rows, [texts.length, tokenizer.maxLength], { dtype: 'i32' })
  const { textEmbeds, pooled } = text.forward(ids)
  const embeds = textEmbeds ?? pooled
  await evaluate(embeds)
  return embeds
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
