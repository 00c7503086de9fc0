import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CheckpointError } from '../errors.ts'
import { readSafetensors } from './read-safetensors.ts'

/** What tools/golden/safetensors_verdicts.py wrote: whether the reference opens a file of that header and so many bytes of data. */
const path = process.env['ANTIPODE_VERDICTS'] ?? join(import.meta.dirname, 'header.golden.json')
const verdicts = JSON.parse(readFileSync(path, 'utf8')) as [accepted: boolean, dataBytes: number, header: string][]

/** Refused here though the reference opens it, by the message: what its format forbids, what two readers could see differently, and dtypes that no op takes. */
const stricter: readonly RegExp[] = [
  /begins with '\{'/,
  /the key ".*" twice/s,
  /__metadata__ to be an object of strings, got null/,
  /tensor ".*" to be an object, got \[/s,
  /in \[0, 2\^53\)/,
  /to have one of .*, got ("C64"|"F4"|\{"F32":null\})/s,
]

const fileOf = (header: string, dataBytes: number): Uint8Array => {
  const json = new TextEncoder().encode(header)
  const file = new Uint8Array(8 + json.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true)
  file.set(json, 8)
  return file
}

test('mutated headers are opened or refused as by the reference implementation, or refused by name', async () => {
  let [opened, refused] = [0, 0]
  for (const [accepted, dataBytes, header] of verdicts) {
    const error = await readSafetensors(fileOf(header, dataBytes)).then(() => undefined, (reason: unknown) => reason)
    if (error === undefined) {
      opened++
      if (!accepted) expect.soft(header, 'opened here, refused by the reference').toBe('')
      continue
    }
    refused++
    expect(error).toBeInstanceOf(CheckpointError)
    if (accepted && !stricter.some((known) => known.test(String(error)))) expect.soft(header, `opened by the reference: ${String(error)}`).toBe('')
  }
  // Neither verdict is rare, or the sample would prove little.
  expect(Math.min(opened, refused)).toBeGreaterThan(verdicts.length / 10)
})
