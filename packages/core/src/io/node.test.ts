import { afterEach, expect, test, vi } from 'vitest'
import { OutOfMemoryError, UnsupportedError } from '../errors.ts'
import { readSafetensors } from './read-safetensors.ts'
import { allocate } from './source.ts'
import { writeSafetensors } from './write-safetensors.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

test('without Node a path is unsupported, and the message names the other sources', async () => {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
  await expect(readSafetensors('model.safetensors')).rejects.toThrow(UnsupportedError)
  await expect(readSafetensors('model.safetensors')).rejects.toThrow(/pass a URL, a Blob or a Uint8Array/)
  await expect(writeSafetensors('model.safetensors', [])).rejects.toThrow(/use encodeSafetensors to write/)
})

test('a tensor larger than the host can hold is an OutOfMemoryError', () => {
  expect(() => allocate('model', 2 ** 52)).toThrow(OutOfMemoryError)
})
