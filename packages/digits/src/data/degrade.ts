import { ConfigError, ShapeError } from '@antipode/core'
import { between, checkArgument, checkOptions, required, whole } from '@antipode/core/options'
import { aGenerator, checkLabelled } from './check-images.ts'
import type { Generator } from './generator.ts'
import type { LabelledImages } from './load-digits.ts'

/** How badly an image is spoilt; 0 leaves it alone. */
export interface Degradation {
  /** Standard deviation of a Gaussian blur, in pixels of the image at hand; in [0, 1000]. */
  readonly blur?: number
  /** Share of ink lost everywhere, in [0, 1]. */
  readonly faint?: number
  /** Standard deviation of Gaussian pixel noise, in [0, 1000]; the pixel range is [−1, 1]. */
  readonly noise?: number
}

/**
 * Degradations at quality 0, for 16×16 images; blur scales with the side. Chosen so that the worst digits are still
 * legible to a person, as the worst pictures of an unfiltered collection are.
 */
export const WORST_DEGRADATION: Required<Degradation> = { blur: 1, faint: 0.6, noise: 0.35 }

/**
 * A spoilt copy of one image: first blurred, then faded, then noisy, then clamped to [−1, 1]. Beyond the border lies
 * paper.
 *
 * @param image [1, size, size] in [−1, 1]
 * @throws {ShapeError} if the image does not have size × size pixels.
 * @throws {ConfigError} if a strength is outside its range or an option unknown.
 */
export function degrade(
  image: Float32Array,
  size: number,
  options: Degradation & { readonly generator: Generator },
): Float32Array<ArrayBuffer> {
  checkArgument('degrade', 'size', size, whole(1))
  checkOptions('degrade', options, { blur: between(0, 1000), faint: between(0, 1), noise: between(0, 1000), generator: required(aGenerator) })
  const { blur = 0, faint = 0, noise = 0, generator } = options
  if (image.length !== size * size) {
    throw new ShapeError(
      `degrade: expected ${size}x${size} = ${size * size} pixels, got ${image.length}; pass one image and its side`,
    )
  }
  const result = blur > 0 ? gaussianBlur(image, size, blur) : Float32Array.from(image)
  for (const [i, pixel] of result.entries()) {
    const faded = (pixel + 1) * (1 - faint) - 1
    const noisy = noise > 0 ? faded + noise * generator.normal() : faded
    result[i] = Math.min(1, Math.max(-1, noisy))
  }
  return result
}

/** A batch of degraded digits; `quality` is what was drawn for each. */
export interface DegradedBatch extends LabelledImages {
  /** [count], 1 = untouched, 0 = worst. */
  readonly quality: Float32Array<ArrayBuffer>
}

/**
 * Digits of random quality, good and bad mixed as in an unfiltered collection: class uniform, image uniform in its
 * class, quality q ~ U[0, 1], each strength (1 − q)·U[½, 1] of `WORST_DEGRADATION`.
 *
 * @throws {ConfigError} if `count` is no positive integer, `quality` is outside [0, 1], an option is unknown or there is no image.
 * @throws {ShapeError} if images and labels do not fit each other.
 */
export function degradedBatch(
  source: LabelledImages,
  options: { readonly count: number; readonly generator: Generator; readonly quality?: number },
): DegradedBatch {
  checkOptions('degradedBatch', options, { count: required(whole(1)), generator: required(aGenerator), quality: between(0, 1) })
  checkLabelled('degradedBatch', source)
  const { count, generator, quality: fixed } = options
  const { size } = source
  const pixels = size * size
  const members = indicesByClass(source.labels)
  const images = new Float32Array(count * pixels)
  const labels = new Uint8Array(count)
  const quality = new Float32Array(count)
  for (let n = 0; n < count; n++) {
    const member = pick(pick(members, generator), generator)
    const q = fixed ?? generator.uniform()
    const severity = (worst: number): number => worst * (1 - q) * (0.5 + 0.5 * generator.uniform())
    const blur = severity((WORST_DEGRADATION.blur * size) / 16)
    const faint = severity(WORST_DEGRADATION.faint)
    const noise = severity(WORST_DEGRADATION.noise)
    const image = source.images.subarray(member * pixels, (member + 1) * pixels)
    images.set(degrade(image, size, { blur, faint, noise, generator }), n * pixels)
    labels[n] = source.labels[member]!
    quality[n] = q
  }
  return { images, labels, size, count, quality }
}

/** Indices of the images of each class that occurs, in class order. */
function indicesByClass(labels: Uint8Array): number[][] {
  const groups: number[][] = []
  for (const [i, label] of labels.entries()) (groups[label] ??= []).push(i)
  return groups.filter((group) => group !== undefined)
}

function pick<T>(list: readonly T[], generator: Generator): T {
  const chosen = list[Math.floor(generator.uniform() * list.length)]
  if (chosen === undefined) throw new ConfigError('degradedBatch: expected images to draw from, got none; pass a split')
  return chosen
}

/** Separable Gaussian blur with a kernel cut at 3σ; outside the image is paper (−1). */
function gaussianBlur(image: Float32Array, size: number, sigma: number): Float32Array<ArrayBuffer> {
  const radius = Math.ceil(3 * sigma)
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)),
  )
  const total = weights.reduce((sum, w) => sum + w, 0)
  const pass = (source: Float32Array, step: number, other: number): Float32Array<ArrayBuffer> => {
    const result = new Float32Array(source.length)
    for (let line = 0; line < size; line++) {
      for (let at = 0; at < size; at++) {
        let ink = 0
        for (let k = -radius; k <= radius; k++) {
          const from = at + k
          if (from >= 0 && from < size) ink += weights[k + radius]! * (source[line * other + from * step]! + 1)
        }
        result[line * other + at * step] = ink / total - 1
      }
    }
    return result
  }
  return pass(pass(image, 1, size), size, 1)
}
