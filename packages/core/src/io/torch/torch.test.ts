import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CheckpointError, DisposedError } from '../../errors.ts'
import { readTensors } from '../index.ts'
import golden from './torch-files.golden.json' with { type: 'json' }

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

test.each(Object.entries(golden.opened))('%s has the tensors that torch saved', async (_, { base64, tensors }) => {
  await using file = await readTensors(bytesOf(base64))
  expect(Object.fromEntries([...file.tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }])))
    .toEqual(Object.fromEntries(Object.entries(tensors).map(([name, { dtype, shape }]) => [name, { dtype, shape }])))
  for (const [name, { values }] of Object.entries(tensors)) {
    expect([...await file.readFloat32(name)], name).toEqual(values.map(Math.fround))
    expect((await file.read(name)).byteLength).toBe(file.tensors.get(name)?.byteLength)
  }
})

test.each(Object.entries(golden.refused))('%s is refused by name', async (_, { base64, got }) => {
  await expect(readTensors(bytesOf(base64))).rejects.toThrow(CheckpointError)
  await expect(readTensors(bytesOf(base64))).rejects.toThrow(got)
})

const whole = bytesOf(golden.opened['every dtype'].base64)

test('a file that is cut anywhere is refused', async () => {
  await fc.assert(fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
    await expect(readTensors(whole.slice(0, length))).rejects.toThrow(CheckpointError)
  }), { numRuns: 200 })
})

test('a file with any bytes changed gives its error or tensors, and nothing else', async () => {
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
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
  await expect(file.read('F32')).rejects.toThrow('enough')
  const other = await readTensors(whole)
  await other.close()
  await expect(other.read('F32')).rejects.toThrow(DisposedError)
})
