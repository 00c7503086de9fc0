import { ConfigError, NumericError, ShapeError } from '@antipode/core'
import { checkArgument, whole } from '@antipode/core/options'
import { areaAverage, SMALL_SIDE, STORED_SIDE } from './data/index.ts'

/** Number of classes. */
export const DIGIT_CLASSES = 10

const INPUTS = SMALL_SIDE * SMALL_SIDE

/** Weights of a two-layer perceptron 256 → hidden (ReLU) → 10; each matrix is [inputs, outputs], row-major. */
export interface ClassifierWeights {
  readonly hidden: number
  /** [256, hidden] */
  readonly w1: Float32Array
  /** [hidden] */
  readonly b1: Float32Array
  /** [hidden, 10] */
  readonly w2: Float32Array
  /** [10] */
  readonly b2: Float32Array
}

/** Reads which digit an image shows. Takes 16×16 images as they are and averages 28×28 ones down to 16×16. */
export interface DigitClassifier {
  readonly weights: ClassifierWeights
  /** Images [N, 1, size, size] to logits [N, 10]. @throws {ShapeError} if the length does not fit 16×16 or 28×28. */
  logits(images: Float32Array, size: number): Float32Array<ArrayBuffer>
  /** Most likely class of each image, [N]. @throws {ShapeError} as `logits`. @throws {NumericError} for an image without one. */
  predict(images: Float32Array, size: number): Uint8Array<ArrayBuffer>
  /** Softmax probability of the class asked for, [N]. @throws {ShapeError} as `logits`, or if the lengths differ. */
  probability(images: Float32Array, labels: ArrayLike<number>, size: number): Float32Array<ArrayBuffer>
  /** Share of images predicted as labelled, in [0, 1]. @throws {ShapeError} as `probability`. */
  accuracy(images: Float32Array, labels: ArrayLike<number>, size: number): number
}

/**
 * A classifier with the given weights.
 *
 * @throws {ShapeError} if the weights do not fit each other. @throws {ConfigError} if `hidden` is not whole and 1 or more.
 */
export function digitClassifier(weights: ClassifierWeights): DigitClassifier {
  const { hidden, w1, b1, w2, b2 } = weights
  checkArgument('digitClassifier', 'hidden', hidden, whole(1))
  if (w1.length !== INPUTS * hidden || b1.length !== hidden || w2.length !== hidden * 10 || b2.length !== 10) {
    throw new ShapeError(
      `digitClassifier: expected weights [256,${hidden}], [${hidden}], [${hidden},10], [10], got lengths ` +
        `${[w1, b1, w2, b2].map((w) => w.length).join(', ')}; check hidden`,
    )
  }
  const logits = (images: Float32Array, size: number): Float32Array<ArrayBuffer> => {
    const inputs = toInputs(images, size)
    const count = inputs.length / INPUTS
    const activations = affine(inputs, w1, b1, count, INPUTS, hidden)
    for (let i = 0; i < activations.length; i++) if (activations[i]! < 0) activations[i] = 0
    return affine(activations, w2, b2, count, hidden, DIGIT_CLASSES)
  }
  const predict = (images: Float32Array, size: number): Uint8Array<ArrayBuffer> => {
    const scores = logits(images, size)
    const lost = scores.findIndex(Number.isNaN)
    if (lost >= 0) {
      const where = `image ${Math.floor(lost / DIGIT_CLASSES)}`
      throw new NumericError(`DigitClassifier: expected images of numbers, got a score that is none for ${where}; look for NaN in it`, { where })
    }
    return Uint8Array.from({ length: scores.length / DIGIT_CLASSES }, (_, n) => argmax(scores, n * DIGIT_CLASSES))
  }
  const probability = (images: Float32Array, labels: ArrayLike<number>, size: number): Float32Array<ArrayBuffer> => {
    const scores = logits(images, size)
    checkLabels('DigitClassifier.probability', labels, scores.length / DIGIT_CLASSES)
    return Float32Array.from({ length: labels.length }, (_, n) => {
      const at = n * DIGIT_CLASSES
      const top = scores[at + argmax(scores, at)]!
      let total = 0
      for (let c = 0; c < DIGIT_CLASSES; c++) total += Math.exp(scores[at + c]! - top)
      return Math.exp(scores[at + labels[n]!]! - top) / total
    })
  }
  const accuracy = (images: Float32Array, labels: ArrayLike<number>, size: number): number => {
    const guesses = predict(images, size)
    checkLabels('DigitClassifier.accuracy', labels, guesses.length)
    return guesses.reduce((hits, guess, n) => hits + (guess === labels[n] ? 1 : 0), 0) / guesses.length
  }
  return { weights, logits, predict, probability, accuracy }
}

/** y = x·w + b for row-major x [count, inputs], w [inputs, outputs]. */
export function affine(
  x: Float32Array,
  w: Float32Array,
  b: Float32Array,
  count: number,
  inputs: number,
  outputs: number,
): Float32Array<ArrayBuffer> {
  const y = new Float32Array(count * outputs)
  for (let n = 0; n < count; n++) {
    const row = y.subarray(n * outputs, (n + 1) * outputs)
    row.set(b)
    for (let i = 0; i < inputs; i++) {
      const value = x[n * inputs + i]!
      if (value === 0) continue
      const at = i * outputs
      for (let o = 0; o < outputs; o++) row[o] = row[o]! + value * w[at + o]!
    }
  }
  return y
}

/** Network inputs [N, 256]: ink as 0..2, so that paper costs nothing and weights of the border stay put. */
export function toInputs(images: Float32Array, size: number): Float32Array<ArrayBuffer> {
  if ((size !== SMALL_SIDE && size !== STORED_SIDE) || images.length % (size * size) !== 0) {
    throw new ShapeError(
      `DigitClassifier: expected images [N, 1, size, size] with size 16 or 28, got ${images.length} values at size ` +
        `${size}; resize them first`,
    )
  }
  return (size === SMALL_SIDE ? Float32Array.from(images) : areaAverage(images)).map((pixel) => pixel + 1)
}

/** Index, counted from `at`, of the greatest of ten values. */
function argmax(values: Float32Array, at: number): number {
  let best = 0
  for (let c = 1; c < DIGIT_CLASSES; c++) if (values[at + c]! > values[at + best]!) best = c
  return best
}

/** @throws {ShapeError} if there is not one label for each image. @throws {ConfigError} if one is not in 0..9. */
export function checkLabels(op: string, labels: ArrayLike<number>, count: number): void {
  if (labels.length !== count) {
    throw new ShapeError(`${op}: expected ${count} labels, got ${labels.length}; pass one label for each image`)
  }
  for (let n = 0; n < count; n++) {
    const label = labels[n]!
    if (!(Number.isInteger(label) && label >= 0 && label < DIGIT_CLASSES)) {
      throw new ConfigError(`${op}: expected labels 0 to 9, got ${label} at ${n}; the null class has no reward`)
    }
  }
}
