import { digitsUrl } from '#assets'
import { CheckpointError } from '@antipode/core'
import { checkOptions, type Range, required } from '@antipode/core/options'
import { anAsset, type AssetSource, readPackedAsset } from './packed-asset.ts'
import { areaAverage, STORED_SIDE } from './resample.ts'

/** Sides that the digits come in: 28 as stored, 16 by area average. */
export type DigitSize = 16 | 28

/** Images with their labels; pixels in [−1, 1], ink = +1, paper = −1. */
export interface LabelledImages {
  /** [count, 1, size, size] */
  readonly images: Float32Array<ArrayBuffer>
  /** [count], 0..9 */
  readonly labels: Uint8Array<ArrayBuffer>
  readonly size: number
  readonly count: number
}

/**
 * Who may look at which digits. No image is in two splits.
 * `train` (5,000): the base model. `labeller` (2,000): the reward that labels pairs. `judge` (3,000): the judge and its
 * classifier.
 */
export type DigitSplit = 'train' | 'labeller' | 'judge'

/** The whole data set; `splits` are views of the same memory. */
export interface Digits extends LabelledImages {
  readonly size: DigitSize
  readonly splits: Readonly<Record<DigitSplit, LabelledImages>>
}

const aSize: Range = { expected: '16 or 28', accepts: (v) => v === 16 || v === 28 }

/** Options of `loadDigits`. */
export interface LoadDigitsOptions {
  /** Side of the images. */
  readonly size: DigitSize
  /** Where to read the packed digits; the package's own asset when left out. */
  readonly source?: AssetSource
}

const SPLITS = ['train', 'labeller', 'judge'] as const

/**
 * Loads the 10,000 handwritten digits of the package's asset (MNIST, see assets/digits.LICENSE.md), in Node and
 * browsers. Inside a split the classes take turns, so every prefix is about class-balanced.
 *
 * @throws {ConfigError} if `size` is neither 16 nor 28, or an option is unknown.
 * @throws {CheckpointError} if the asset is missing, damaged or of another format.
 * @example
 * const { splits } = await loadDigits({ size: 16 })
 * splits.train.images // [5000, 1, 16, 16]
 */
export async function loadDigits(options: LoadDigitsOptions): Promise<Digits> {
  checkOptions('loadDigits', options, { size: required(aSize), source: anAsset })
  const { size, source = digitsUrl } = options
  const { header, payload } = await readPackedAsset(source, 'antipode-digits')
  const { count, ranges } = readHeader(header)
  const stored = STORED_SIDE * STORED_SIDE
  if (payload.length !== count * (1 + stored)) {
    throw new CheckpointError(
      `loadDigits: expected ${count * (1 + stored)} bytes after the header, got ${payload.length}; reinstall the ` +
        `package`,
    )
  }
  const labels = payload.slice(0, count)
  const odd = labels.find((label) => label > 9)
  if (odd !== undefined) {
    throw new CheckpointError(`loadDigits: expected labels 0 to 9, got ${odd}; reinstall the package`)
  }
  const full = Float32Array.from(payload.subarray(count), (byte) => byte / 127.5 - 1) // [N, 1, 28, 28]
  const images = size === 28 ? full : areaAverage(full)
  const view = ([start, end]: readonly [number, number]): LabelledImages => ({
    images: images.subarray(start * size * size, end * size * size),
    labels: labels.subarray(start, end),
    size,
    count: end - start,
  })
  const splits = { train: view(ranges.train), labeller: view(ranges.labeller), judge: view(ranges.judge) }
  return { images, labels, size, count, splits }
}

type Ranges = Record<DigitSplit, readonly [number, number]>

function readHeader(header: Readonly<Record<string, unknown>>): { count: number; ranges: Ranges } {
  const { count, height, width } = header
  const splits = header['splits'] as Partial<Ranges> | undefined // each range is checked below
  const sound = (range: unknown): boolean =>
    Array.isArray(range) &&
    range.length === 2 &&
    range.every((end) => Number.isSafeInteger(end) && end >= 0) &&
    range[1] > range[0] &&
    range[1] <= Number(count)
  const complete = typeof splits === 'object' && SPLITS.every((name) => sound(splits?.[name]))
  if (!Number.isInteger(count) || height !== STORED_SIDE || width !== STORED_SIDE || !complete) {
    throw new CheckpointError(
      `loadDigits: expected a header with count, height 28, width 28 and splits, got ${JSON.stringify(header)}; ` +
        `reinstall the package`,
    )
  }
  return { count: Number(count), ranges: splits as Ranges }
}
