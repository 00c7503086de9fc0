import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'

test('2,000 spoilt files, by bytes, Blobs, files and a lying server, end in a value or a typed error, and in no more memory than twice their size', async () => {
  const { findings, outcomes, mostAsked } = await fuzz({ seed: 12, inputs: 2000 })
  expect(findings.slice(0, 3)).toEqual([])
  expect(Object.keys(outcomes)).toEqual(['safetensors', 'index', 'run', 'adapter', 'config'])
  // A reader that refuses all, or takes all, would pass as well.
  for (const [name, { taken, refused }] of Object.entries(outcomes)) {
    expect(refused, name).toBeGreaterThan(50)
    if (name !== 'run') expect(taken, name).toBeGreaterThan(10)
  }
  expect(mostAsked).toBeGreaterThan(0.9)
  // 6 s of a core, which on a busy machine is minutes.
}, 300_000)
