import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodePng, encodePng } from '@antipode/pipelines'
import { openCaptioned } from '@antipode/pipelines/training'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { drawingsOf, type Emoji } from '../table/index.ts'
import { writeDataSet } from './index.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-emoji-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

const row = { category: 'People & Body', subcategory: 'person-role', shortNames: [] }
const emoji: Emoji[] = [
  {
    ...row, name: 'WOMAN ASTRONAUT', shortName: 'female-astronaut', unified: '1F469-200D-1F680',
    images: { '': 'w.png', '1F3FF': 'w-1f3ff.png' },
  },
  { ...row, name: 'ASTRONAUT', shortName: 'astronaut', unified: '1F9D1-200D-1F680', images: { '': 'p.png' } },
  { ...row, name: 'RED APPLE', shortName: 'apple', unified: '1F34E', images: { '': 'apple.png' } },
]

/** A picture of 64×64, opaque within a circle and clear outside. */
function draw(name: string, colour: readonly number[]): void {
  const data = Uint8Array.from({ length: 4 * 64 * 64 }, (_, i) => {
    const at = Math.floor(i / 4)
    return i % 4 < 3 ? colour[i % 4]! : Math.hypot(at % 64 - 31.5, Math.floor(at / 64) - 31.5) < 20 ? 255 : 0
  })
  writeFileSync(join(folder, 'images', name), encodePng({ data, width: 64, height: 64 }))
}

interface Line {
  readonly file_name: string
  readonly text: readonly string[]
  readonly split: string
  readonly family: string
  readonly quality: number
  readonly degraded: string
}

test('a clean and a degraded copy of each drawing are written, the same at every run', async () => {
  mkdirSync(join(folder, 'images'))
  for (const [i, { image }] of drawingsOf(emoji).entries()) draw(image, [200, 40 * i, 10])
  const seen: number[][] = []
  const write = async (out: string): Promise<unknown> => await writeDataSet(drawingsOf(emoji), {
    images: join(folder, 'images'), out: join(folder, out), onDrawing: (done, total) => { seen.push([done, total]) },
  })
  const report = await write('one')
  await write('two')
  expect(seen.slice(0, 4)).toEqual([[1, 4], [2, 4], [3, 4], [4, 4]])
  expect(report).toMatchObject({ pictures: 8, families: 2 })
  const names = readdirSync(join(folder, 'one/pictures')).map((name) => `pictures/${name}`)
  expect(names).toHaveLength(8)
  for (const name of [...names, 'metadata.jsonl']) {
    expect(readFileSync(join(folder, 'two', name)).equals(readFileSync(join(folder, 'one', name))), name).toBe(true)
  }

  const lines = readFileSync(join(folder, 'one/metadata.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Line)
  expect(lines.map((line) => line.file_name).sort()).toEqual(names)
  for (const [i, clean] of lines.entries()) {
    if (i % 2 === 1) continue
    const bad = lines[i + 1]!
    expect([clean.quality, clean.degraded]).toEqual([1, 'none'])
    expect(bad.quality).toBeLessThan(1)
    expect(['blur', 'noise', 'colours', 'crop']).toContain(bad.degraded)
    expect([bad.text, bad.split, bad.family]).toEqual([clean.text, clean.split, clean.family])
  }
  expect(new Set(lines.slice(0, 6).map((line) => line.split)).size).toBe(1)
  const { data } = decodePng(readFileSync(join(folder, 'one/pictures/w.png')))
  expect([...data.subarray(0, 4)]).toEqual([255, 255, 255, 255])
  expect([...data.subarray(4 * (32 * 64 + 32), 4 * (32 * 64 + 32) + 4)]).toEqual([200, 0, 10, 255])

  const captioned = await openCaptioned(join(folder, 'one'))
  expect(captioned.map(({ captions }) => captions)).toEqual(lines.map(({ text }) => text))
})

test('a run that is cancelled stops with the reason', async () => {
  const options = { images: folder, out: join(folder, 'out'), signal: AbortSignal.abort('enough') }
  await expect(writeDataSet(drawingsOf(emoji), options)).rejects.toBe('enough')
})
