import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ConfigError } from '@antipode/core'
import { FakeHost } from '@antipode/core/testing'
import { encode } from 'jpeg-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodePng } from '../../images/index.ts'
import { DatasetError } from '../pairs/index.ts'
import { fit } from '../pictures/index.ts'
import { loadSquares, openCaptioned } from './index.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-captioned-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

const at = (name: string): string => join(folder, name)
const write = (name: string, content: string | Uint8Array = ''): void => {
  mkdirSync(dirname(at(name)), { recursive: true })
  writeFileSync(at(name), content)
}
const writeRows = (...rows: readonly unknown[]): void => {
  write('metadata.jsonl', rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'))
}
const failure = async (work: Promise<unknown>): Promise<Error> => await work.then(
  () => { throw new TypeError('expected a failure') }, (error: unknown) => error as Error,
)

/** An image of numbers that differ from pixel to pixel. */
const pattern = (width: number, height: number, channels: 3 | 4): { data: Uint8Array; width: number; height: number } => ({
  data: Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + (i >> 3) * 11) % 256), width, height,
})
const planes = (data: ArrayLike<number>, channels: number): number[] =>
  [0, 1, 2].flatMap((c) => Array.from({ length: data.length / channels }, (_, i) => data[channels * i + c]!))

test('rows of metadata.jsonl are pictures in their order, with one caption or several', async () => {
  for (const name of ['b.png', 'deep/a.jpg', '..c.png']) write(name)
  writeRows(
    '\uFEFF{"file_name": "b.png", "text": " a cat ", "split": "train", "quality": 1}\r',
    '',
    { file_name: 'deep/a.jpg', text: ['a dog', 'a small dog'], split: 'test' },
    { file_name: './..c.png', text: 'a fox' },
  )
  const rows = [
    { file: at('b.png'), captions: ['a cat'], origin: 'metadata.jsonl:1' },
    { file: at('deep/a.jpg'), captions: ['a dog', 'a small dog'], origin: 'metadata.jsonl:3' },
    { file: at('..c.png'), captions: ['a fox'], origin: 'metadata.jsonl:4' },
  ]
  expect(await openCaptioned(folder)).toEqual(rows)
  expect(await openCaptioned(folder, { split: 'test' })).toEqual([rows[1]])
  const unknown = await failure(openCaptioned(folder, { split: 'judge' }))
  expect(unknown).toBeInstanceOf(ConfigError)
  expect(unknown.message).toBe(`openCaptioned: expected a split of test, train, got 'judge' for ${folder}`)
})

test('pictures with a text beside them are read in order of names, a caption a line', async () => {
  for (const name of ['b.png', 'a.JPEG', 'c.jpg', 'notes.txt', 'other.gif']) write(name)
  write('a.txt', 'a cat\r\n\n  a small cat  \n')
  write('b.txt', 'a dog')
  write('c.txt', 'a fox')
  expect(await openCaptioned(folder)).toEqual([
    { file: at('a.JPEG'), captions: ['a cat', 'a small cat'], origin: 'a.txt' },
    { file: at('b.png'), captions: ['a dog'], origin: 'b.txt' },
    { file: at('c.jpg'), captions: ['a fox'], origin: 'c.txt' },
  ])
  expect((await failure(openCaptioned(folder, { split: 'train' }))).message).toContain('expected no split, as rows name none')
  write('b.txt', ' \n')
  expect((await failure(openCaptioned(folder))).message).toContain(`expected a caption of b.png in ${folder}, got an empty file`)
  rmSync(at('b.txt'))
  const missing = await failure(openCaptioned(folder))
  expect(missing).toBeInstanceOf(DatasetError)
  expect(missing.message).toBe(
    `b.txt: expected a caption of b.png in ${folder}, got no b.txt; write one, or move the picture`,
  )
})

test.each([
  ['[1]', 'expected a JSON object in a line, got something else'],
  [{ text: 'a cat' }, "expected the name of a picture's file as file_name, got none"],
  [{ file_name: 'a.png' }, 'expected a caption or a list of captions as text, got none'],
  [{ file_name: 'a.png', text: ' ' }, 'as text, got " "'],
  [{ file_name: 'a.png', text: [] }, 'as text, got []'],
  [{ file_name: 'a.png', text: ['a cat', 7] }, 'as text, got ["a cat",7]'],
  [{ file_name: 'a.png', text: 'a cat', split: 3 }, 'as split, got 3'],
  [{ file_name: '../a.png', text: 'a cat' }, 'expected a file_name within the folder, got "../a.png"'],
  [{ file_name: 'x/../..', text: 'a cat' }, 'expected a file_name within the folder'],
  [{ file_name: '.', text: 'a cat' }, 'expected a file_name within the folder'],
  [{ file_name: '/etc/a.png', text: 'a cat' }, 'expected a file_name within the folder, got "/etc/a.png"'],
  [{ file_name: 'none.png', text: 'a cat' }, 'none.png, got nothing'],
  [{ file_name: 'deep', text: 'a cat' }, 'deep, got a folder'],
])('a row %j is refused with its line', async (row, message) => {
  write('a.png')
  mkdirSync(at('deep'))
  writeRows({ file_name: 'a.png', text: 'a cat' }, row)
  const error = await failure(openCaptioned(folder))
  expect(error).toBeInstanceOf(DatasetError)
  expect(error.message).toMatch(/^metadata\.jsonl:2: /)
  expect(error.message).toContain(message)
})

test('a folder without captioned pictures is refused, and so is what is no folder', async () => {
  const said = async (path: string): Promise<string> => {
    const error = await failure(openCaptioned(path))
    expect(error).toBeInstanceOf(ConfigError)
    return error.message
  }
  expect(await said(folder)).toContain(`got an empty folder at ${folder}`)
  expect(await said(at('none'))).toContain('got nothing at')
  write('notes.txt')
  expect(await said(at('notes.txt'))).toContain('got a file at')
  expect(await said(folder)).toContain('got a folder with neither at')
  write('metadata.jsonl', '\n')
  expect(await said(folder)).toContain('got a metadata.jsonl without rows at')
  await expect(openCaptioned(folder, { split: '' })).rejects.toThrow(ConfigError)
})

const rowsOf = (...files: readonly string[]): { file: string; captions: string[]; origin: string }[] =>
  files.map((name) => ({ file: at(name), captions: [`a ${name}`], origin: name }))

test('a picture that has the side is taken byte for byte', async () => {
  const [one, two] = [pattern(5, 5, 3), { ...pattern(5, 5, 3), data: pattern(5, 5, 3).data.reverse() }]
  write('one.png', encodePng(one))
  write('two.png', encodePng(two))
  const seen: number[][] = []
  const loaded = await loadSquares(rowsOf('one.png', 'two.png'), {
    side: 5, onPicture: (done, total) => { seen.push([done, total]) },
  })
  expect([...loaded.pictures]).toEqual([...planes(one.data, 3), ...planes(two.data, 3)])
  expect([loaded.side, loaded.captions]).toEqual([5, [['a one.png'], ['a two.png']]])
  expect(seen).toEqual([[1, 2], [2, 2]])
})

test('what is not opaque is blended on white, or on the background that is asked for', async () => {
  // Opaque, clear with another colour behind it, and two in between.
  const data = Uint8Array.from([10, 20, 30, 255, 9, 99, 200, 0, 100, 0, 255, 51, 0, 200, 255, 128])
  write('a.png', encodePng({ data, width: 2, height: 2 }))
  const bytes = async (background?: [number, number, number]): Promise<number[]> =>
    [...(await loadSquares(rowsOf('a.png'), { side: 2, ...(background && { background }) })).pictures]
  // (51·100 + 204·255) / 255 = 224, (51·0 + 204·255) / 255 = 204; (127·255) / 255 = 127, (128·200 + 127·255) / 255 = 227.4
  expect(await bytes()).toEqual([10, 255, 224, 127, 20, 255, 204, 227, 30, 255, 255, 255])
  expect(await bytes([0, 0, 255])).toEqual([10, 0, 20, 0, 20, 0, 0, 100, 30, 255, 255, 255])
})

test.each([[12, 7, 5], [7, 12, 5], [9, 8, 16], [64, 48, 8], [3, 11, 3]])(
  'a picture of %i×%i is covered and cut to %i as `fit` does it', async (width, height, side) => {
    const picture = pattern(width, height, 3)
    write('a.png', encodePng(picture))
    const data = Uint8ClampedArray.from(
      { length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 255 : picture.data[3 * Math.floor(i / 4) + i % 4]!),
    )
    using fitted = await fit(new FakeHost(), { data, width, height }, { height: side, width: side })
    using pixels = fitted.pixels
    const expected = Array.from(await pixels.data(), (v) => Math.round((v + 1) * 127.5))
    expect([...(await loadSquares(rowsOf('a.png'), { side })).pictures]).toEqual(expected)
  },
)

test('JPEG files are read', async () => {
  const data = Uint8Array.from({ length: 4 * 16 * 16 }, (_, i) => [200, 40, 90, 255][i % 4]!)
  write('a.jpg', encode({ data, width: 16, height: 16 }, 95).data)
  const { pictures } = await loadSquares(rowsOf('a.jpg'), { side: 4 })
  // An even area: of the file's losses only the rounding of its three numbers is left.
  for (const [i, value] of pictures.entries()) expect(Math.abs(value - [200, 40, 90][Math.floor(i / 16)]!)).toBeLessThanOrEqual(2)
})

test('damaged files, wrong options and a cancelled run are refused', async () => {
  write('a.png', 'A')
  for (const name of ['a.png', 'none.png']) {
    const error = await failure(loadSquares(rowsOf(name), { side: 4 }))
    expect(error).toBeInstanceOf(DatasetError)
    expect(error.message).toMatch(new RegExp(`^${name}: `))
  }
  for (const wrong of [{ side: 0 }, { side: 4, background: [0, 0] }, { side: 4, background: [0, 0, 256] }, {}]) {
    await expect(loadSquares([], wrong as { side: number })).rejects.toThrow(ConfigError)
  }
  await expect(loadSquares(rowsOf('a.png'), { side: 4, signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
})

test('pictures of one thing are told by a field of the list', async () => {
  for (const name of ['a', 'b']) write(`${name}.png`, encodePng({ data: new Uint8Array(3), width: 1, height: 1 }))
  const list = (second: object): void => {
    writeRows({ file_name: 'a.png', text: 'a', kind: 'one' }, { file_name: 'b.png', text: 'b', ...second })
  }
  list({ kind: 'two' })
  const found = await openCaptioned(folder, { balance: 'kind' })
  expect(found.map(({ group }) => group)).toEqual(['one', 'two'])
  expect((await loadSquares(found, { side: 1 })).groups).toEqual(['one', 'two'])
  expect(await loadSquares(await openCaptioned(folder), { side: 1 })).not.toHaveProperty('groups')
  list({ kind: 3 })
  await expect(openCaptioned(folder, { balance: 'kind' })).rejects.toThrow('metadata.jsonl:2: expected a text as kind, got 3')
  list({})
  await expect(openCaptioned(folder, { balance: 'kind' })).rejects.toThrow('expected a text as kind, got none')
})
