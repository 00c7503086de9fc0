import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodePng, type PixelSource } from '../../images/index.ts'
import { loadSquares, openCaptioned } from './index.ts'

let folder = ''
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'antipode-captioned-')) })
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Red to the left, green to the right. */
const halves = (width: number, height: number): PixelSource => ({
  width, height,
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const left = Math.floor(i / 3) % width < width / 2
    return [left ? 255 : 0, left ? 0 : 255, 0][i % 3]!
  }),
})
const put = (name: string, picture: PixelSource): Promise<void> => writeFile(join(folder, name), encodePng(picture))
const list = (...rows: readonly unknown[]): Promise<void> => (
  writeFile(join(folder, 'metadata.jsonl'), rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'))
)

test('a list of pictures has a caption or several, and parts', async () => {
  await mkdir(join(folder, 'sub'))
  await put('sub/a.png', halves(2, 2))
  await put('b.png', halves(2, 2))
  await list({ file_name: 'sub/a.png', text: ' a flag ', split: 'one' }, '', { file_name: 'b.png', text: ['green', 'red'], split: 'two', other: 1 })
  expect(await openCaptioned(folder)).toEqual([
    { file: join(folder, 'sub/a.png'), captions: ['a flag'], split: 'one', origin: 'metadata.jsonl:1' },
    { file: join(folder, 'b.png'), captions: ['green', 'red'], split: 'two', origin: 'metadata.jsonl:3' },
  ])
  expect((await openCaptioned(join(folder, 'metadata.jsonl'), { split: 'two' })).map(({ captions }) => captions)).toEqual([['green', 'red']])
  await expect(openCaptioned(folder, { split: 'three' })).rejects.toThrow('expected split to be one or two, got three')
})

test('pictures beside text files are in order of their names', async () => {
  await put('b.PNG', halves(2, 2))
  await put('a.png', halves(2, 2))
  await writeFile(join(folder, 'a.txt'), 'first\r\n\r\n second \n')
  await writeFile(join(folder, 'b.txt'), 'other')
  expect((await openCaptioned(folder)).map(({ captions }) => captions)).toEqual([['first', 'second'], ['other']])
  await expect(openCaptioned(folder, { split: 'train' })).rejects.toThrow('expected split to be left out, got train')
  await writeFile(join(folder, 'b.txt'), '\n')
  await expect(openCaptioned(folder)).rejects.toThrow('b.PNG: expected a caption in b.txt beside it, got none')
})

test.each([
  ['{"file_name"', 'expected a JSON object in a line'],
  ['[1]', 'expected a JSON object in a line, got another value'],
  [{ text: 'a' }, 'expected file_name to name a picture, got none'],
  [{ file_name: '../a.png', text: 'a' }, 'expected a picture below the folder of the list, got ../a.png'],
  [{ file_name: 'a.png' }, 'expected text to be a caption or a list of some, got none'],
  [{ file_name: 'a.png', text: ['a', ''] }, 'expected text to be a caption or a list of some, got ["a",""]'],
  [{ file_name: 'a.png', text: 'a', split: 1 }, 'expected split to be a name, got 1'],
  [{ file_name: 'none.png', text: 'a' }, 'expected a picture at'],
])('a line %j is refused', async (row, message) => {
  await put('a.png', halves(2, 2))
  await list({ file_name: 'a.png', text: 'sound' }, row)
  await expect(openCaptioned(folder)).rejects.toThrow(`metadata.jsonl:2: ${message}`)
})

test('what is no set of pictures is refused', async () => {
  await expect(openCaptioned(join(folder, 'none'))).rejects.toThrow('got nothing at')
  await expect(openCaptioned(folder)).rejects.toThrow('got a folder with neither at')
  await writeFile(join(folder, 'a.txt'), 'a')
  await expect(openCaptioned(join(folder, 'a.txt'))).rejects.toThrow('got another file at')
  await list('')
  await expect(openCaptioned(folder)).rejects.toThrow('got a list of no pictures at')
})

test('a picture becomes the middle of a square, and one of its size stays as it is', async () => {
  await put('wide.png', halves(8, 4))
  await put('same.png', halves(4, 4))
  await list({ file_name: 'wide.png', text: 'a' }, { file_name: 'same.png', text: 'b' })
  const seen: number[] = []
  const { pictures, side, captions } = await loadSquares(await openCaptioned(folder), { side: 4, onPicture: () => { seen.push(1) } })
  expect([side, captions, seen.length, pictures.length]).toEqual([4, [['a'], ['b']], 2, 2 * 48])
  const [red, green, rows] = [[255, 255, 0, 0], [0, 0, 255, 255], [0, 1, 2, 3]]
  const same = [...rows.flatMap(() => red), ...rows.flatMap(() => green), ...rows.flatMap(() => [0, 0, 0, 0])]
  expect([...pictures.subarray(0, 48)]).toEqual(same)
  expect([...pictures.subarray(48)]).toEqual(same)
})

test('what is transparent shows white', async () => {
  await put('clear.png', { width: 2, height: 1, data: Uint8Array.from([255, 0, 0, 0, 0, 0, 255, 51]) })
  await list({ file_name: 'clear.png', text: 'a' })
  const { pictures } = await loadSquares(await openCaptioned(folder), { side: 1 })
  // The middle of a picture of two pixels is cut at its first.
  expect([...pictures]).toEqual([255, 255, 255])
})

test('a damaged picture is named by its row, and an abort ends reading', async () => {
  await writeFile(join(folder, 'bad.png'), 'no picture')
  await list({ file_name: 'bad.png', text: 'a' })
  const found = await openCaptioned(folder)
  await expect(loadSquares(found, { side: 4 })).rejects.toThrow('metadata.jsonl:1: ')
  const reason = new Error('enough')
  await expect(loadSquares(found, { side: 4, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  await expect(loadSquares(found, { side: 0 })).rejects.toThrow('loadSquares: expected side')
})
