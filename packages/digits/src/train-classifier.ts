import { abortSignal, checkOptions, positive, required, whole } from '@antipode/core/options'
import {
  affine,
  type ClassifierWeights,
  DIGIT_CLASSES,
  type DigitClassifier,
  digitClassifier,
  toInputs,
} from './classifier.ts'
import { aGenerator, degradedBatch, type Generator, type LabelledImages } from './data/index.ts'

/** Options of `trainDigitClassifier`. */
export interface TrainClassifierOptions {
  /** Draws the initial weights, batches, degradations and shifts; the result is a function of its seed. */
  readonly generator: Generator
  /** Whole, 1 or more; so are batch and hidden. */
  readonly steps: number
  /** Images a step; default 64. */
  readonly batch?: number
  /** Hidden units; default 128. */
  readonly hidden?: number
  /** Adam's step size at the start, above 0, decaying as a cosine to 0; default 0.002. */
  readonly learningRate?: number
  readonly signal?: AbortSignal
}

/**
 * Trains a small perceptron by Adam on the cross-entropy, on the CPU, on images of random quality moved by up to a
 * pixel in each direction: it must read what a generator draws, not only clean originals.
 *
 * @param source 16×16 digits
 * @throws {ConfigError} if an option is unknown or out of its range. @throws {ShapeError} if the images are not 16×16 or 28×28.
 */
export function trainDigitClassifier(source: LabelledImages, options: TrainClassifierOptions): DigitClassifier {
  checkOptions('trainDigitClassifier', options, {
    generator: required(aGenerator), steps: required(whole(1)), batch: whole(1), hidden: whole(1), learningRate: positive, signal: abortSignal,
  })
  const { generator, steps, batch = 64, hidden = 128, learningRate = 0.002, signal } = options
  const inputs = 256
  const initial = (length: number, fanIn: number): Float32Array =>
    Float32Array.from({ length }, () => generator.normal() * Math.sqrt(2 / fanIn)) // He et al. 2015, eq. 10
  const weights: ClassifierWeights = {
    hidden,
    w1: initial(inputs * hidden, inputs),
    b1: new Float32Array(hidden),
    w2: initial(hidden * DIGIT_CLASSES, hidden),
    b2: new Float32Array(DIGIT_CLASSES),
  }
  const update = adam([weights.w1, weights.b1, weights.w2, weights.b2])
  for (let step = 0; step < steps; step++) {
    signal?.throwIfAborted()
    const { images, labels, size } = degradedBatch(source, { count: batch, generator })
    const x = toInputs(images, size)
    for (let n = 0; n < batch; n++) jitter(x.subarray(n * inputs, (n + 1) * inputs), generator)
    const rate = 0.5 * learningRate * (1 + Math.cos((Math.PI * step) / steps))
    update(gradients(weights, x, labels), rate)
  }
  return digitClassifier(weights)
}

/** Gradients of the mean cross-entropy with respect to w1, b1, w2, b2. */
function gradients(weights: ClassifierWeights, x: Float32Array, labels: Uint8Array): Float32Array[] {
  const { hidden, w1, b1, w2, b2 } = weights
  const count = labels.length
  const inputs = x.length / count
  const h = affine(x, w1, b1, count, inputs, hidden).map((value) => Math.max(0, value)) // [B, hidden]
  const dLogits = affine(h, w2, b2, count, hidden, DIGIT_CLASSES) // [B, 10], turned into softmax − one-hot in place
  for (let n = 0; n < count; n++) {
    const row = dLogits.subarray(n * DIGIT_CLASSES, (n + 1) * DIGIT_CLASSES)
    const top = Math.max(...row)
    const total = row.reduce((sum, value) => sum + Math.exp(value - top), 0)
    for (const [c, value] of row.entries()) {
      row[c] = (Math.exp(value - top) / total - (c === labels[n] ? 1 : 0)) / count
    }
  }
  const dHidden = new Float32Array(count * hidden)
  for (let n = 0; n < count; n++) {
    for (let j = 0; j < hidden; j++) {
      if (h[n * hidden + j] === 0) continue // ReLU: no gradient where it is off
      let sum = 0
      for (let c = 0; c < DIGIT_CLASSES; c++) sum += dLogits[n * DIGIT_CLASSES + c]! * w2[j * DIGIT_CLASSES + c]!
      dHidden[n * hidden + j] = sum
    }
  }
  return [
    outerSum(x, dHidden, count, inputs, hidden),
    columnSum(dHidden, hidden),
    outerSum(h, dLogits, count, hidden, DIGIT_CLASSES),
    columnSum(dLogits, DIGIT_CLASSES),
  ]
}

/** Σ_n a[n]ᵀ·b[n]: [rows, columns] from a [count, rows] and b [count, columns]. */
function outerSum(a: Float32Array, b: Float32Array, count: number, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns)
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < rows; i++) {
      const value = a[n * rows + i]!
      if (value === 0) continue
      for (let j = 0; j < columns; j++) {
        result[i * columns + j] = result[i * columns + j]! + value * b[n * columns + j]!
      }
    }
  }
  return result
}

function columnSum(matrix: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(columns)
  for (const [i, value] of matrix.entries()) result[i % columns] = result[i % columns]! + value
  return result
}

/** Adam with its usual constants (Kingma & Ba 2015, algorithm 1); updates the parameters in place. */
function adam(parameters: readonly Float32Array[]): (gradients: readonly Float32Array[], rate: number) => void {
  const first = parameters.map((p) => new Float32Array(p.length))
  const second = parameters.map((p) => new Float32Array(p.length))
  let step = 0
  return (gradients, rate) => {
    step += 1
    const scale = (rate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step)
    for (const [k, p] of parameters.entries()) {
      const [g, m, v] = [gradients[k]!, first[k]!, second[k]!]
      for (let i = 0; i < p.length; i++) {
        m[i] = 0.9 * m[i]! + 0.1 * g[i]!
        v[i] = 0.999 * v[i]! + 0.001 * g[i]! * g[i]!
        p[i] = p[i]! - (scale * m[i]!) / (Math.sqrt(v[i]!) + 1e-8)
      }
    }
  }
}

/** Moves 16×16 inputs (0 = paper) in place by −1, 0 or 1 pixels in each direction. */
function jitter(image: Float32Array, generator: Generator): void {
  const side = Math.sqrt(image.length)
  const dx = Math.floor(3 * generator.uniform()) - 1
  const dy = Math.floor(3 * generator.uniform()) - 1
  const original = image.slice()
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [sy, sx] = [y - dy, x - dx]
      const inside = sy >= 0 && sy < side && sx >= 0 && sx < side
      image[y * side + x] = inside ? original[sy * side + sx]! : 0
    }
  }
}
