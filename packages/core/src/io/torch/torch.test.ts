import { expect, test } from 'vitest'
import { CheckpointError } from '../../errors.ts'
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
