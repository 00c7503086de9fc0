import { digitClassifierUrl } from '#assets'
import { CheckpointError } from '@antipode/core'
import { checkOptions, whole } from '@antipode/core/options'
import { DIGIT_CLASSES, type DigitClassifier, digitClassifier } from './classifier.ts'
import { anAsset, type AssetSource, readPackedAsset, SMALL_SIDE } from './data/index.ts'

/**
 * Loads the classifier that the judge uses, trained by scripts/train-digit-classifier.mjs on the `judge` split.
 * Its accuracy and hash are in assets/digits.LICENSE.md.
 *
 * @throws {CheckpointError} if the asset is missing, damaged or of another format.
 * @throws {ConfigError} on an unknown option.
 */
export async function loadDigitClassifier(options: { readonly source?: AssetSource } = {}): Promise<DigitClassifier> {
  checkOptions('loadDigitClassifier', options, { source: anAsset })
  const { header, payload } = await readPackedAsset(options.source ?? digitClassifierUrl, 'antipode-digit-classifier')
  const hidden = whole(1).accepts(header['hidden']) ? Number(header['hidden']) : Number.NaN
  const lengths = [SMALL_SIDE ** 2 * hidden, hidden, hidden * DIGIT_CLASSES, DIGIT_CLASSES]
  const expected = 4 * lengths.reduce((sum, length) => sum + length, 0)
  if (payload.length !== expected) {
    throw new CheckpointError(
      `loadDigitClassifier: expected ${expected} bytes for ${hidden} hidden units, got ${payload.length}; reinstall ` +
        `the package`,
    )
  }
  const values = new Float32Array(payload.slice().buffer) // little-endian, as every host of WebGPU is
  if (!values.every(Number.isFinite)) {
    throw new CheckpointError('loadDigitClassifier: expected finite weights, got others; reinstall the package')
  }
  let at = 0
  const [w1, b1, w2, b2] = lengths.map((length) => values.subarray(at, (at += length))) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ] // four lengths give four arrays
  return digitClassifier({ hidden, w1, b1, w2, b2 })
}
