import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'
import golden from './events.golden.json' with { type: 'json' }
import { EventFile } from './index.ts'

// Written by tools/golden/tensorboard_events.py.
test('a file of events has the bytes that TensorBoard writes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-events-'))
  try {
    const file = new EventFile(folder, () => 1_700_000_000.25)
    file.scalars(1, { loss: Math.LN2, gradNorm: 0 })
    file.scalars(5_000_000_000, { loss: -1.5 })
    file.picture(300, 'Bilder ä', { height: 300, width: 2, png: Uint8Array.from({ length: 200 }, (_, i) => i) })
    const [name = ''] = readdirSync(folder)
    expect(name).toMatch(/^events\.out\.tfevents\.1700000000\./)
    expect(readFileSync(join(folder, name)).toString('base64')).toBe(golden.file)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('sums of check are those of RFC 3720', () => {
  expect(crc32c(new Uint8Array(32)).toString(16)).toBe('8a9136aa')
  expect(crc32c(new Uint8Array(32).fill(255)).toString(16)).toBe('62a8ab43')
  expect(crc32c(new TextEncoder().encode('123456789')).toString(16)).toBe('e3069283')
})
