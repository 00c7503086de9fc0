import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodePng, encodePng } from '@antipode/pipelines'
import { openCaptioned } from '@antipode/pipelines/training'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Pair, summaryOf, writeDataSet } from './index.ts'

let folder = ''
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'antipode-emoji-')) })
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A transparent picture with a square of a colour in the middle. */
const square = (...colour: readonly number[]): Uint8Array => encodePng({
  width: 64, height: 64,
  data: Uint8Array.from({ length: 4 * 64 * 64 }, (_, i) => {
    const [x, y] = [Math.floor(i / 4) % 64, Math.floor(i / 256)]
    return x > 15 && x < 48 && y > 15 && y < 48 ? [...colour, 255][i % 4]! : 0
  }),
})
const common = { has_img_google: true, sort_order: 1 }
const emoji = [
  { ...common, name: 'RED APPLE', unified: '1F34E', short_names: ['red_apple'], category: 'Food & Drink', subcategory: 'food-fruit', image: '1f34e.png' },
  {
    ...common, sort_order: 2, name: 'WOMAN ASTRONAUT', unified: '1F469', short_names: ['female-astronaut'],
    category: 'People & Body', subcategory: 'person-role', image: '1f469.png', skin_variations: { '1F3FF': { image: '1f469-1f3ff.png' } },
  },
  { ...common, sort_order: 3, name: 'ASTRONAUT', unified: '1F9D1', short_names: ['astronaut'], category: 'People & Body', subcategory: 'person-role', image: '1f9d1.png' },
]

async function packageOf(): Promise<string> {
  const from = join(folder, 'package')
  await mkdir(join(from, 'img/google/64'), { recursive: true })
  await writeFile(join(from, 'emoji.json'), JSON.stringify(emoji))
  for (const [i, name] of ['1f34e', '1f469', '1f469-1f3ff', '1f9d1'].entries()) {
    await writeFile(join(from, 'img/google/64', `${name}.png`), square(200, 60 * i, 40))
  }
  return from
}

/** Hashes of all files below a folder. */
async function hashesIn(path: string): Promise<Record<string, string>> {
  const names = (await readdir(path, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)).sort()
  const found = await Promise.all(names.map(async (name) => [name.slice(path.length), createHash('sha256').update(await readFile(name)).digest('hex')] as const))
  return Object.fromEntries(found)
}

test('a package becomes a set that training reads, a clean and a spoilt copy of each picture', async () => {
  const to = join(folder, 'set')
  const pairs: Pair[] = []
  const rows = await writeDataSet({ from: await packageOf(), to, onPair: (pair) => { pairs.push(pair) } })
  expect(rows.map(({ file_name: name }) => name)).toEqual([
    'pictures/1f34e.png', 'pictures/1f34e-degraded.png', 'pictures/1f469.png', 'pictures/1f469-degraded.png',
    'pictures/1f469-1f3ff.png', 'pictures/1f469-1f3ff-degraded.png', 'pictures/1f9d1.png', 'pictures/1f9d1-degraded.png',
  ])
  expect(rows.map(({ family }) => family)).toEqual([...new Array(2).fill('red apple'), ...new Array(6).fill('astronaut')])
  expect(new Set(rows.slice(2).map(({ split }) => split)).size).toBe(1)
  const lines = (await readFile(join(to, 'metadata.jsonl'), 'utf8')).trim().split('\n')
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual(rows)
  const captioned = await openCaptioned(to)
  expect(captioned.map(({ captions }) => captions[0])).toEqual([
    ...new Array(2).fill('a red apple'), ...new Array(2).fill('a woman astronaut'),
    ...new Array(2).fill('a woman astronaut with dark skin'), ...new Array(2).fill('an astronaut'),
  ])
  expect(pairs).toHaveLength(4)
})

test('quality is 1 of what is untouched on white, and less of its copy', async () => {
  const to = join(folder, 'set')
  const rows = await writeDataSet({ from: await packageOf(), to })
  for (const [i, { quality, degraded, text }] of rows.entries()) {
    if (i % 2 === 0) expect([quality, degraded]).toEqual([1, 'none'])
    else {
      expect(quality).toBeLessThanOrEqual(0.8)
      expect(degraded).not.toBe('none')
      expect(text).toEqual(rows[i - 1]?.text)
    }
  }
  const { data, width } = decodePng(await readFile(join(to, 'pictures/1f469.png')))
  expect([...data.subarray(0, 4)]).toEqual([255, 255, 255, 255])
  expect([...data.subarray(4 * (32 * width + 32), 4 * (32 * width + 33))]).toEqual([200, 60, 40, 255])
})

test('the same package gives the same bytes', async () => {
  const from = await packageOf()
  await writeDataSet({ from, to: join(folder, 'a') })
  await writeDataSet({ from, to: join(folder, 'b') })
  const first = await hashesIn(join(folder, 'a'))
  expect(Object.keys(first)).toHaveLength(9)
  expect(await hashesIn(join(folder, 'b'))).toEqual(first)
  await writeDataSet({ from, to: join(folder, 'b') })
  expect(await hashesIn(join(folder, 'b'))).toEqual(first)
})

test('a summary counts pictures, captions and words', () => {
  const row = { split: 'judge', family: 'a', quality: 1 } as const
  expect(summaryOf([
    { ...row, file_name: 'a', text: ['a red heart', 'heart, red'], degraded: 'none' },
    { ...row, file_name: 'b', text: ['a red heart'], degraded: 'blur', split: 'labeller' },
  ])).toEqual({
    pictures: 2, degraded: 1, families: 1, distinctCaptions: 2, distinctWords: 3, longestCaption: 3, splits: { judge: 1, labeller: 1 },
  })
})
