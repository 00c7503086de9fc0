import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concat, NumericError, type Tensor, tensor } from '@antipode/core'
import { FakeHost } from '@antipode/core/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodePng } from '../../images/index.ts'
import { DatasetError, type PairRow, type PairRows } from '../pairs/index.ts'
import { bucketFor, bucketsOf } from './buckets.ts'
import { encodePairs, type EncodePairsOptions, type PairEncoder } from './index.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-encodings-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

const host = new FakeHost()

/** Latents of half the side; counts what it encodes. */
class ToyEncoder implements PairEncoder {
  readonly device = host
  pictures = 0
  readonly prompts: string[] = []
  factor = 1

  moments(pictures: Tensor): Tensor {
    const [batch = 0, , height = 0, width = 0] = pictures.shape
    this.pictures += batch
    const means = pictures.reshape([batch, 3, height / 2, 2, width / 2, 2]).mean({ axes: [3, 5] }).mul(this.factor)
    return concat([means, means.mul(0)], 1)
  }

  prompt(text: string): Readonly<Record<string, Tensor>> {
    this.prompts.push(text)
    return { context: tensor(host, [text.length, 1], [1, 1, 2]), textEmbeds: tensor(host, [text.length], [1, 1]) }
  }
}

const grey = (value: number): Uint8Array<ArrayBuffer> => encodePng(
  { width: 8, height: 8, data: new Uint8Array(192).fill(value) },
)

const pair = (index: number, prompt = `p${index % 3}`, changes: Partial<{ chosen: Uint8Array<ArrayBuffer>; identity: string }> = {}): PairRow => ({
  prompt, origin: `row ${index}`, identity: changes.identity ?? `${index}`,
  pictures: () => Promise.resolve({ chosen: changes.chosen ?? grey(index), rejected: grey(200) }),
})

async function* rowsOf(rows: readonly PairRow[]): PairRows {
  yield* rows
}

const run = (
  encoder: ToyEncoder, rows: readonly PairRow[], options: Partial<EncodePairsOptions> = {},
): ReturnType<typeof encodePairs> =>
  encodePairs(encoder, rowsOf(rows), { folder, models: 'toy', resolution: 8, dtype: 'f32', ...options })

const many = Array.from({ length: 70 }, (_, i) => (i % 10 === 9 ? 'tie' : pair(i)))

test('pairs are encoded once: a second run takes them from the disk', async () => {
  const first = new ToyEncoder()
  const encoded = await run(first, many)
  expect([
    encoded.pairs, encoded.ties, encoded.damaged, first.pictures, first.prompts,
  ]).toEqual([63, 7, 0, 126, ['p0', 'p1', 'p2']])
  const second = new ToyEncoder()
  const fresh: boolean[] = []
  const again = await run(second, many, { onRow: (report) => { fresh.push(report.encoded) } })
  expect([
    again.pairs, second.pictures, second.prompts, fresh.length, fresh.some(Boolean),
  ]).toEqual([63, 0, [], 70, false])
  expect(again.digest).toBe(encoded.digest)
  // Row 65 is in the second shard, its prompt in the first.
  const [loaded] = await again.load([again.buckets[0]!.places[again.buckets[0]!.places.indexOf(65)]!])
  expect(loaded?.chosen.shape).toEqual([6, 4, 4])
  expect(loaded?.chosen.data[0]).toBeCloseTo(65 / 127.5 - 1, 6)
  expect(loaded?.rejected.data[0]).toBeCloseTo(200 / 127.5 - 1, 6)
  expect([...loaded!.prompt].map(([name, { shape, data }]) => [name, shape, [...data]])).toEqual(
    [['context', [1, 2], [2, 1]], ['textEmbeds', [1], [2]]],
  )
  expect(loaded?.timeIds).toEqual([8, 8, 0, 0, 8, 8])
})

test('a row that has changed is encoded again, with those after it, and no others', async () => {
  await run(new ToyEncoder(), many)
  const changed = many.with(66, pair(66, 'new', { identity: 'other' }))
  const encoder = new ToyEncoder()
  const encoded = await run(encoder, changed)
  expect(encoder.pictures).toBe(2 * many.slice(64).filter((row) => row !== 'tie').length)
  const [loaded] = await encoded.load([64 + 2])
  expect(loaded?.prompt.get('context')?.data[0]).toBe(3)
  expect((await run(new ToyEncoder(), many.slice(0, 10))).pairs).toBe(9)
  expect(readdirSync(join(folder, readdirSync(folder)[0]!))).toEqual(['000000.safetensors'])
})

test('other models and resolutions have places of their own', async () => {
  await run(new ToyEncoder(), many.slice(0, 3))
  const other = new ToyEncoder()
  await run(other, many.slice(0, 3), { models: 'other' })
  await run(other, many.slice(0, 3), { resolution: 16 })
  expect([other.pictures, readdirSync(folder).length]).toEqual([12, 3])
})

test('what was encoded when a run is stopped is kept', async () => {
  const controller = new AbortController()
  const stopped = new ToyEncoder()
  await expect(run(stopped, many, {
    signal: controller.signal, onRow: ({ rows }) => { if (rows === 66) controller.abort(new Error('enough')) },
  })).rejects.toThrow('enough')
  const rest = new ToyEncoder()
  expect((await run(rest, many)).pairs).toBe(63)
  expect(stopped.pictures + rest.pictures).toBe(126)
})

test('damaged rows and pictures are thrown, or left out and counted', async () => {
  const rows = [pair(0), new DatasetError('x:1', 'bad'), pair(2, 'p', { chosen: Uint8Array.of(1, 2) }), pair(3)]
  await expect(run(new ToyEncoder(), rows)).rejects.toThrow('x:1: bad')
  await expect(run(new ToyEncoder(), rows.slice(2))).rejects.toThrow(/row 2: .*expected an image file/)
  const { pairs, damaged } = await run(new ToyEncoder(), rows, { skipDamaged: true })
  expect([pairs, damaged]).toEqual([2, 2])
  await expect(run(new ToyEncoder(), rows)).rejects.toThrow('x:1: bad')
  await expect(run(new ToyEncoder(), ['tie', 'tie'])).rejects.toThrow(
    'expected at least one pair, got 2 rows: 2 ties and 0 damaged',
  )
})

test('a shard that the disk has damaged is encoded again', async () => {
  await run(new ToyEncoder(), many.slice(0, 5))
  const path = join(folder, readdirSync(folder)[0]!, '000000.safetensors')
  writeFileSync(path, readFileSync(path).subarray(0, 100))
  const encoder = new ToyEncoder()
  expect([(await run(encoder, many.slice(0, 5))).pairs, encoder.pictures]).toEqual([5, 10])
})

test('latents that are not finite are an error that names the pair', async () => {
  const encoder = new ToyEncoder()
  encoder.factor = Infinity
  await expect(run(encoder, many.slice(0, 2))).rejects.toThrow(NumericError)
  await expect(run(encoder, many.slice(0, 2))).rejects.toThrow(/row 0: expected finite numbers/)
})

test('buckets have sides of 64 pixels a step and areas of up to the square, in both directions', () => {
  expect(bucketsOf(16)).toEqual([{ height: 16, width: 16 }])
  const sizes = bucketsOf(1024)
  for (const { height, width } of sizes) {
    expect([height % 64, width % 64]).toEqual([0, 0])
    expect(height * width).toBeLessThanOrEqual(1024 ** 2)
    expect(height * width).toBeGreaterThan(0.9 * 1024 ** 2)
    expect(sizes).toContainEqual({ height: width, width: height })
  }
  expect(bucketFor({ height: 768, width: 768 }, sizes)).toEqual({ height: 1024, width: 1024 })
  expect(bucketFor({ height: 1080, width: 1920 }, sizes)).toEqual({ height: 768, width: 1344 })
  expect(bucketFor({ height: 4000, width: 100 }, sizes)).toEqual({ height: 2048, width: 512 })
})
