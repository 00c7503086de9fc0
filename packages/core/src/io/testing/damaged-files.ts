import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CheckpointError, DisposedError } from '../../errors.ts'
import { readTensors } from '../index.ts'

/** A sound file, and where it can be harmed. */
export interface SoundFile {
  readonly whole: Uint8Array<ArrayBuffer>
  /** The longest part of it that lacks something. */
  readonly longestPart: number
  /** Bytes from the start, of which some are changed. */
  readonly changed: { readonly what: string; readonly bytes: number }
  /** A tensor of it. */
  readonly tensor: string
}

/** Tests that a file of any format is read whole and open, or refused. */
export function testDamagedFiles({ whole, longestPart, changed, tensor }: SoundFile): void {
  test('a file that is cut anywhere is refused', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(longestPart), async (length) => {
      await expect(readTensors(whole.slice(0, length))).rejects.toThrow(CheckpointError)
    }), { numRuns: 200 })
  })

  test(`a file with any bytes ${changed.what} gives its error or tensors, and nothing else`, async () => {
    const change = fc.tuple(fc.nat(changed.bytes), fc.nat(255))
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
}
