import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CheckpointError, DisposedError } from '../errors.ts'
import gguf from './gguf/gguf.golden.json' with { type: 'json' }
import { readTensors } from './index.ts'
import torch from './torch/torch-files.golden.json' with { type: 'json' }

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
const [ggufFile, torchFile] = [bytesOf(gguf.base64), bytesOf(torch.opened['every dtype'].base64)]

/** Sound files: the longest part that lacks something, how many bytes from the start are changed, a tensor in them. */
const files = [
  { format: 'gguf', whole: ggufFile, longestPart: ggufFile.length - 33, changed: 1200, tensor: 'f32' },
  { format: 'torch', whole: torchFile, longestPart: torchFile.length - 1, changed: torchFile.length - 1, tensor: 'F32' },
]

describe.each(files)('of $format', ({ whole, longestPart, changed, tensor }) => {
  test('a file that is cut anywhere is refused', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(longestPart), async (length) => {
      await expect(readTensors(whole.slice(0, length))).rejects.toThrow(CheckpointError)
    }), { numRuns: 200 })
  })

  test('a file with any bytes changed gives its error or tensors, and nothing else', async () => {
    const change = fc.tuple(fc.nat(changed), fc.nat(255))
    await fc.assert(fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
      const bytes = whole.slice()
      for (const [at, value] of changes) bytes[at] = value
      try {
        await using file = await readTensors(bytes)
        for (const name of file.tensors.keys()) await file.readFloat32(name)
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError)
      }
    }), { numRuns: 500 })
  })

  test('nothing is read of a closed file, nor once the signal is aborted', async () => {
    const controller = new AbortController()
    const file = await readTensors(whole, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(file.read(tensor)).rejects.toThrow('enough')
    const other = await readTensors(whole)
    await other.close()
    await expect(other.read(tensor)).rejects.toThrow(DisposedError)
  })
})
