import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@antipode/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DatasetError, openPairs, type PairRow, type PreferencePair } from './index.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'antipode-pairs-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })
const at = (name: string): string => join(folder, name)
const write = (name: string, content: string | Uint8Array): void => { writeFileSync(at(name), content) }

async function rowsOf(path: string): Promise<PairRow[]> {
  const rows: PairRow[] = []
  for await (const row of await openPairs(path)) rows.push(row)
  return rows
}

const pairsOf = (rows: readonly PairRow[]): PreferencePair[] => rows.filter(
  (row): row is PreferencePair => row !== 'tie' && !(row instanceof DatasetError),
)
const said = (row: PairRow | undefined): string => (row instanceof DatasetError ? row.message : 'no error')

test('lines of JSON are pairs, with pictures beside the file', async () => {
  write('a.png', 'A')
  write('b.jpg', 'B')
  write('pairs.jsonl', '{"prompt":"a cat","chosen":"a.png","rejected":"b.jpg","score":3}\n\n{"prompt":"","chosen":"b.jpg","rejected":"a.png"}\n')
  const rows = await rowsOf(at('pairs.jsonl'))
  const [first, second] = pairsOf(rows)
  expect([
    rows.length, first?.prompt, first?.origin, second?.prompt, second?.origin,
  ]).toEqual([2, 'a cat', 'pairs.jsonl:1', '', 'pairs.jsonl:3'])
  const pictures = await first?.pictures()
  expect([`${Buffer.from(pictures!.chosen)}`, `${Buffer.from(pictures!.rejected)}`]).toEqual(['A', 'B'])
  // A folder stands for the list in it, and the pairs are the same.
  expect(pairsOf(await rowsOf(folder)).map(({ identity }) => identity)).toEqual([first!.identity, second!.identity])
})

test('a damaged line is an error that names file and line, and the others are read', async () => {
  write('a.png', 'A')
  const good = '{"prompt":"x","chosen":"a.png","rejected":"a.png"}'
  write('list.jsonl', [good, '{"prompt":', '[1]', '{"prompt":"x","chosen":"a.png"}', '{"prompt":"x","chosen":"a.png","rejected":"none.png"}', good].join('\n'))
  const rows = await rowsOf(at('list.jsonl'))
  expect(pairsOf(rows)).toHaveLength(2)
  expect(rows.slice(1, 5).map(said)).toEqual([
    'list.jsonl:2: expected a JSON object in a line, got something else; mend or remove the line',
    'list.jsonl:3: expected a JSON object in a line, got something else; mend or remove the line',
    'list.jsonl:4: expected texts prompt, chosen and rejected, got none as rejected; mend or remove the line',
    `list.jsonl:5: expected the rejected picture at ${at('none.png')}, got nothing; name a file beside the list`,
  ])
})

test('rows are read one by one: of a long list no more than was asked for', async () => {
  write('a.png', 'A')
  const good = '{"prompt":"x","chosen":"a.png","rejected":"a.png"}\n'
  write('pairs.jsonl', good.repeat(200_000))
  const rows = await openPairs(folder)
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 3; i++) expect((await rows.next()).done).toBe(false)
  await rows.return()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20e6)
})

test('a folder may name its pairs by its files', async () => {
  const files = ['cat.chosen.png', 'cat.rejected.jpg', 'ant.chosen.PNG', 'ant.rejected.jpeg', 'odd.chosen.png']
  for (const name of files) write(name, name)
  write('cat.txt', 'a cat\n')
  write('ant.txt', 'an ant')
  const rows = await rowsOf(folder)
  expect(pairsOf(rows).map(({ prompt }) => prompt)).toEqual(['an ant', 'a cat'])
  expect(said(rows[2])).toBe(
    `odd.txt: expected odd.txt, odd.chosen.png and odd.rejected.png in ${folder}, got no odd.txt`,
  )
  const pictures = await pairsOf(rows)[1]?.pictures()
  expect(`${Buffer.from(pictures!.chosen)} ${Buffer.from(pictures!.rejected)}`).toBe('cat.chosen.png cat.rejected.jpg')
})

const golden = join(import.meta.dirname, 'pick-a-pic.golden.parquet')

// Written by tools/golden/pick_a_pic.py.
test('a table of Pick-a-Pic: the label says which picture is chosen, and ties and rows without a label are dropped', async () => {
  const rows = await rowsOf(golden)
  const pairs = pairsOf(rows)
  expect(pairs.map(({ prompt, origin }) => [prompt, origin])).toEqual([
    ['a red cat', 'pick-a-pic.golden.parquet, row 1'], ['ein Hündchen, naïve 🐕', 'pick-a-pic.golden.parquet, row 3'],
  ])
  expect([rows[1], rows[4]]).toEqual(['tie', 'tie'])
  expect(said(rows[3])).toBe(
    'pick-a-pic.golden.parquet, row 4: expected a caption, and labels 1 and 0, 0 and 1, or 0.5 and 0.5, got 0.25 and 0.75; leave the row out',
  )
  const [first, third] = await Promise.all(pairs.map((pair) => pair.pictures()))
  for (const { chosen, rejected } of [first!, third!]) {
    expect([...chosen.subarray(0, 2), ...rejected.subarray(0, 2)]).toEqual([0xff, 0xd8, 0xff, 0xd8])
  }
  expect(Buffer.compare(first!.chosen, third!.rejected)).not.toBe(0)
})

test('tables of a folder are read in the order of their names', async () => {
  mkdirSync(at('data'))
  for (const name of ['data/train-00001.parquet', 'data/train-00000.parquet']) copyFileSync(golden, at(name))
  expect(pairsOf(await rowsOf(folder)).map(({ origin }) => origin.split(',')[0])).toEqual(
    ['train-00000.parquet', 'train-00000.parquet', 'train-00001.parquet', 'train-00001.parquet'],
  )
})

test('what is no data set of pairs is refused by what it is', async () => {
  write('x.csv', 'prompt')
  write('bad.parquet', 'PAR1')
  await expect(openPairs(at('none'))).rejects.toThrow(ConfigError)
  await expect(openPairs(at('none'))).rejects.toThrow(/got nothing at/)
  await expect(openPairs(at('x.csv'))).rejects.toThrow(/got another file at/)
  mkdirSync(at('empty'))
  await expect(openPairs(at('empty'))).rejects.toThrow(/got a folder with none at/)
  await expect(rowsOf(at('bad.parquet'))).rejects.toThrow(DatasetError)
})
