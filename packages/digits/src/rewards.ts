import { ConfigError, ShapeError } from '@antipode/core'
import { checkLabels, DIGIT_CLASSES, type DigitClassifier } from './classifier.ts'
import { checkLabelled, type LabelledImages } from './data/index.ts'

/**
 * Scores images [N, 1, size, size] against the digits 0..9 they should show; higher is better.
 *
 * @throws {ShapeError} if the images do not have the size of the references, or labels are missing.
 * @throws {ConfigError} if a label is not 0..9.
 */
export type DigitScore = (images: Float32Array, labels: ArrayLike<number>) => Float32Array<ArrayBuffer>

/** How the distance of two images weighs what; see `signature`. */
interface Metric {
  /** Ink and edge magnitudes are taken over blocks × blocks parts of the image. */
  readonly blocks: number
  readonly inkWeight: number
  readonly edgeWeight: number
}

export const LABELLER: Metric = { blocks: 1, inkWeight: 2, edgeWeight: 4 }
const JUDGE: Metric = { blocks: 2, inkWeight: 3, edgeWeight: 6 }

/** Neighbours that the judge averages over, and those it looks at more closely before choosing them. */
const NEIGHBOURS = 4
const CANDIDATES = 16
/** What the judge takes off for an image that its classifier is sure shows another digit. */
const DOUBT_WEIGHT = 0.2

/** Plain words for a report. */
export const LABELLER_DEFINITION: string =
  'R(x, c) = −min over 200 clean digits y of class c of the RMS pixel distance of x and y, joined by the differences ' +
  'of their ink and edge magnitudes (weights 2 and 4). The magnitudes are there because a bare nearest-neighbour ' +
  'distance is shortest for faint and blurred images. No image of this split is used for anything else.'

/** Plain words for a report. */
export const JUDGE_DEFINITION: string =
  'J(x, c) = −mean distance to the 4 nearest of 300 other clean digits of class c, each allowed to move by a pixel, ' +
  'with ink and edge magnitudes compared quadrant by quadrant (weights 3 and 6), minus 0.2·(1 − p(c | x)) of a ' +
  'classifier trained on the same split. Saturated, thickened or noisy images are far from every real digit, so J ' +
  'falls again when guidance overshoots.'

/**
 * The reward that labels preference pairs: closeness to the nearest clean digit of the class.
 * R(x, c) = −min_y sqrt(mean (x − y)² + 2·(ink(x) − ink(y))² + 4·(edge(x) − edge(y))²), in pixel units of [−1, 1],
 * where ink is the RMS of x + 1 and edge the RMS gradient. With weights 0 it is the reward of the pilot in which the
 * method was tried, which on real digits prefers blurred and faint ones (measured: a class mean beats a clean digit).
 *
 * @param reference clean digits, for example `splits.labeller`
 * @throws {ConfigError} if a class has no reference. @throws {ShapeError} if images and labels do not fit each other.
 */
export function labellingReward(reference: LabelledImages): DigitScore {
  const shelves = shelve('labellingReward', reference, LABELLER, 1)
  return (images, labels) => {
    const count = checkImages('labellingReward', images, labels, reference.size)
    return Float32Array.from({ length: count }, (_, n) => {
      const x = signature(pixelsOf(images, n, reference.size), reference.size, LABELLER)
      const shelf = shelves[labels[n]!]!
      let nearest = Infinity
      for (let at = 0; at < shelf.length; at += x.length) nearest = Math.min(nearest, distance(x, shelf, at, nearest))
      return -Math.sqrt(nearest / reference.size ** 2)
    })
  }
}

/**
 * The judge: another function, on other digits, than the reward that labels; see `JUDGE_DEFINITION`.
 * The four neighbours are chosen among the 16 nearest of the unmoved image, which keeps 2,000 images under a second.
 *
 * @param reference clean digits that labelled nothing, for example `splits.judge`
 * @throws {ConfigError} if a class has fewer than 16 references. @throws {ShapeError} if images and labels do not fit each other.
 */
export function digitJudge(reference: LabelledImages, classifier: DigitClassifier): DigitScore {
  const { size } = reference
  const shelves = shelve('digitJudge', reference, JUDGE, CANDIDATES)
  return (images, labels) => {
    const count = checkImages('digitJudge', images, labels, size)
    const probability = classifier.probability(images, labels, size)
    return Float32Array.from({ length: count }, (_, n) => {
      const image = pixelsOf(images, n, size)
      const distances = tolerantDistances(image, size, shelves[labels[n]!]!).slice(0, NEIGHBOURS)
      const mean = distances.reduce((sum, d) => sum + Math.sqrt(d / size ** 2), 0) / NEIGHBOURS
      return -mean - DOUBT_WEIGHT * (1 - probability[n]!)
    })
  }
}

/** Squared distances to the candidates, each at the image's best of nine positions; ascending. */
function tolerantDistances(image: Float32Array, size: number, shelf: Float32Array): Float64Array {
  const still = signature(image, size, JUDGE)
  const offsets = Array.from({ length: shelf.length / still.length }, (_, k) => k * still.length)
  const direct = Float64Array.from(offsets, (at) => distance(still, shelf, at, Infinity))
  const candidates = offsets.sort((a, b) => direct[a / still.length]! - direct[b / still.length]!).slice(0, CANDIDATES)
  const best = Float64Array.from(candidates, (at) => direct[at / still.length]!)
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      if (dx === 0 && dy === 0) continue
      const x = signature(moved(image, size, dx, dy), size, JUDGE)
      for (const [k, at] of candidates.entries()) best[k] = Math.min(best[k]!, distance(x, shelf, at, best[k]!))
    }
  }
  return best.sort()
}

/** Signatures of the references, one array a class. */
function shelve(
  op: string,
  reference: LabelledImages,
  metric: Metric,
  least: number,
): Float32Array[] {
  checkLabelled(op, reference)
  const { images, labels, size, count } = reference
  const width = size * size + 2 * metric.blocks ** 2
  return Array.from({ length: DIGIT_CLASSES }, (_, digit) => {
    const members = Array.from({ length: count }, (_, n) => n).filter((n) => labels[n] === digit)
    if (members.length < least) {
      throw new ConfigError(
        `${op}: expected at least ${least} references of each digit, got ${members.length} of ${digit}; pass a ` +
          `whole split`,
      )
    }
    const shelf = new Float32Array(members.length * width)
    for (const [k, n] of members.entries()) shelf.set(signature(pixelsOf(images, n, size), size, metric), k * width)
    return shelf
  })
}

/**
 * [pixels, ink magnitudes, edge magnitudes]: Euclidean distance of two signatures, squared and divided by the number of
 * pixels, is the squared RMS pixel distance plus the weighted squared differences of RMS ink and RMS gradient.
 */
function signature(image: Float32Array, size: number, { blocks, inkWeight, edgeWeight }: Metric): Float32Array {
  const pixels = size * size
  const ink = new Float64Array(blocks * blocks)
  const edge = new Float64Array(blocks * blocks)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const here = image[y * size + x]!
      const right = x + 1 < size ? image[y * size + x + 1]! : -1
      const below = y + 1 < size ? image[(y + 1) * size + x]! : -1
      const block = Math.floor((y * blocks) / size) * blocks + Math.floor((x * blocks) / size)
      ink[block] = ink[block]! + (here + 1) ** 2
      edge[block] = edge[block]! + (right - here) ** 2 + (below - here) ** 2
    }
  }
  const result = new Float32Array(pixels + 2 * ink.length)
  result.set(image)
  for (let b = 0; b < ink.length; b++) {
    result[pixels + b] = Math.sqrt(inkWeight * ink[b]!)
    result[pixels + ink.length + b] = Math.sqrt(edgeWeight * edge[b]!)
  }
  return result
}

/**
 * Squared Euclidean distance of x and the signature at `at`; stops early, above `limit`, once it cannot be below it.
 */
function distance(x: Float32Array, shelf: Float32Array, at: number, limit: number): number {
  let sum = 0
  for (let i = 0; i < x.length;) {
    const stop = Math.min(i + 32, x.length)
    for (; i < stop; i++) {
      const d = x[i]! - shelf[at + i]!
      sum += d * d
    }
    if (sum > limit) return sum
  }
  return sum
}

function pixelsOf(images: Float32Array, n: number, size: number): Float32Array {
  return images.subarray(n * size * size, (n + 1) * size * size)
}

/** The image moved right by dx and down by dy whole pixels, paper (−1) entering. */
function moved(image: Float32Array, size: number, dx: number, dy: number): Float32Array {
  const result = new Float32Array(image.length).fill(-1)
  for (let y = Math.max(0, dy); y < Math.min(size, size + dy); y++) {
    const from = (y - dy) * size + Math.max(0, -dx)
    result.set(image.subarray(from, from + size - Math.abs(dx)), y * size + Math.max(0, dx))
  }
  return result
}

function checkImages(op: string, images: Float32Array, labels: ArrayLike<number>, size: number): number {
  if (images.length % (size * size) !== 0) {
    throw new ShapeError(
      `${op}: expected images [N, 1, ${size}, ${size}], got ${images.length} values; use the size of the references`,
    )
  }
  const count = images.length / (size * size)
  checkLabels(op, labels, count)
  return count
}
