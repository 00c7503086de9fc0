/**
 * Trains the judge's classifier on the `judge` split and packs it into `packages/digits/assets/digit-classifier.bin.gz`.
 *
 * usage: node --import tsx --conditions=@antipode/source scripts/train-digit-classifier.mjs   (a minute or two)
 *
 * Layout of the asset, gunzipped: u32 little-endian header length, JSON header, then w1 [256, hidden], b1 [hidden],
 * w2 [hidden, 10], b2 [10] as little-endian f32.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rng } from '../packages/core/src/random/index.ts'
import { loadDigits } from '../packages/digits/src/data/index.ts'
import { trainDigitClassifier } from '../packages/digits/src/train-classifier.ts'

const recipe = { seed: 20261123, steps: 8000, batch: 64, hidden: 128, learningRate: 0.002 }
const { seed, ...options } = recipe

const { splits } = await loadDigits({ size: 16 })
const classifier = trainDigitClassifier(splits.judge, { ...options, generator: rng(seed) })
const accuracy = Object.fromEntries(
  Object.entries(splits).map(([name, split]) => [name, classifier.accuracy(split.images, split.labels, split.size)]),
)

const { w1, b1, w2, b2 } = classifier.weights
const header = { format: 'antipode-digit-classifier', version: 1, ...recipe, split: 'judge', accuracy }
const headerBytes = Buffer.from(JSON.stringify(header))
const length = Buffer.alloc(4)
length.writeUInt32LE(headerBytes.length)
const payload = [w1, b1, w2, b2].map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength))
const packed = gzipSync(Buffer.concat([length, headerBytes, ...payload]), { level: 9 })
packed[9] = 255 // gzip's operating-system byte: "unknown", so that the file is the same wherever it is made
writeFileSync(join(import.meta.dirname, '../packages/digits/assets/digit-classifier.bin.gz'), packed)

console.log(`${packed.length} bytes, sha256 ${createHash('sha256').update(packed).digest('hex')}`)
console.log('accuracy on clean digits (judge is its own training split):', accuracy)
