import { expect, test } from 'vitest'
import { CheckpointError } from '../../errors.ts'
import { readTensors } from '../index.ts'
import golden from './gguf.golden.json' with { type: 'json' }

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
const whole = bytesOf(golden.base64)

test('every type is multiplied out to the numbers of gguf, to the bit', async () => {
  await using file = await readTensors(whole)
  expect(file.metadata)
    .toMatchObject({ 'general.architecture': 'sd1', 'general.name': 'small é', half: '0.5', yes: 'true' })
  expect([...file.tensors.keys()].toSorted()).toEqual(Object.keys(golden.tensors).toSorted())
  for (const [name, { dtype, shape, values }] of Object.entries(golden.tensors)) {
    expect(file.tensors.get(name), name).toMatchObject({ dtype, shape })
    expect(await file.readFloat32(name), name).toEqual(new Float32Array(bytesOf(values).buffer))
  }
})

test('a type that is not read is refused by its name', async () => {
  const opening = readTensors(bytesOf(golden.refused.Q2_K))
  await expect(opening).rejects.toThrow(CheckpointError)
  await expect(opening).rejects.toThrow(/expected "odd" to be one of F32, .*Q6_K, got Q2_K; convert/)
})

test('other versions are refused', async () => {
  const old = whole.slice()
  old[4] = 1
  await expect(readTensors(old)).rejects.toThrow('expected a GGUF file of version 2 or 3, little-endian, got version 1')
  const big = whole.slice()
  big.set([0, 0, 0, 3], 4)
  await expect(readTensors(big)).rejects.toThrow('got a big-endian one')
})
