import { expect, test } from 'vitest'
import { parseOptions } from './options.ts'
import { sheetOf } from './sheet.ts'

test('the command line names a folder, and a sheet if one is wanted', () => {
  expect(parseOptions(['out'])).toEqual({ out: 'out', sheet: undefined })
  expect(parseOptions(['--sheet', 'a.png', 'out'])).toEqual({ out: 'out', sheet: 'a.png' })
  expect(parseOptions(['-h'])).toEqual({ help: true })
})

test.each([
  [[], 'expected one folder to write to, got 0'],
  [['a', 'b'], 'expected one folder to write to, got 2'],
  [[''], 'expected one folder to write to, got an empty name'],
  [['a', '--sheet', ''], 'expected --sheet to be a file, got nothing'],
])('%j is refused', (args, message) => {
  expect(() => parseOptions(args)).toThrow(`emoji: ${message}`)
})

test('a sheet has pairs side by side, a hundred at most', () => {
  const one = { width: 2, height: 2, channels: 3, data: new Uint8Array(12) } as const
  const pair = { clean: one, spoilt: { ...one, data: one.data.map(() => 200) } }
  const { data, width, height } = sheetOf([pair])
  expect([width, height]).toEqual([16, 10])
  expect([data[4 * (4 * 16 + 4)], data[4 * (4 * 16 + 10)]]).toEqual([0, 200])
  expect(sheetOf(Array.from({ length: 150 }, () => pair))).toMatchObject({ width: 4 + 20 * 6, height: 4 + 10 * 6 })
})
