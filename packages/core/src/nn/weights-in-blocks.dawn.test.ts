import { afterAll, beforeAll, expect, test } from 'vitest'
import { blockTypes } from '@antipode/kernels-wgsl'
import { conv2d, Device, embedding, evaluate, linear, tensor } from '../index.ts'
import golden from '../io/gguf/gguf.golden.json' with { type: 'json' }
import { readTensors } from '../io/index.ts'
import { FakeHost, interpret, noise } from '../testing/index.ts'
import { stateOf } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => {
  expect(device.memory().tensors).toBe(0)
  await device[Symbol.asyncDispose]()
})

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

test('blocks of a GGUF file lie on the device as they are, and stand for the numbers of gguf to the bit', async () => {
  await using file = await readTensors(bytesOf(golden.base64))
  const source = stateOf(file)
  for (const type of Object.keys(blockTypes) as (keyof typeof blockTypes)[]) {
    using blocks = await source.read(type, device, type)
    using values = blocks.to('f32')
    const { shape, values: want } = golden.tensors[type]
    expect([blocks.dtype, blocks.shape]).toEqual([type, shape])
    expect(await values.data(), type).toEqual(new Float32Array(bytesOf(want).buffer))
  }
})

test('products and convolutions by blocks are those by their numbers, within what f16 rounds', async () => {
  const host = new FakeHost()
  const [weights, kernels, x, images] = [noise(48 * 64, 1), noise(8 * 32 * 9, 2), noise(5 * 64, 3), noise(32 * 36, 4)]
  const results = (on: Device | FakeHost, dtype: 'f16' | 'f32'): (readonly [ReturnType<typeof linear>, ReturnType<typeof tensor>[]])[] => {
    const w = tensor(on, weights, [48, 64], { dtype: 'q8_0' })
    const k = tensor(on, kernels, [8, 32, 3, 3], { dtype: 'q4_0' })
    const [a, b] = [tensor(on, x, [5, 64], { dtype }), tensor(on, images, [1, 32, 6, 6], { dtype })]
    return [[linear(a, w), [w, a]], [conv2d(b, k, { padding: 1 }), [k, b]]]
  }
  const want = interpret(results(host, 'f32').map(([y]) => y))
  const dtype = device.target.f16 ? 'f16' : 'f32'
  for (const [k, [y, leaves]] of results(device, dtype).entries()) {
    const [got, exact] = [await y.data(), want[k] as Float64Array]
    const scale = Math.max(...exact.map(Math.abs))
    expect(Math.max(...exact.map((v, i) => Math.abs(v - got[i]!)))).toBeLessThan((dtype === 'f16' ? 5e-3 : 1e-5) * scale)
    for (const t of [y, ...leaves]) t.dispose()
  }
})

test('a table beyond what may be bound is read in pieces of its buffer', async () => {
  const rows = noise(300 * 64, 5)
  using table = tensor(device, rows, [300, 64])
  using ids = tensor(device, [0, 299, 63, 64, 200], [5], { dtype: 'i32' })
  const target = device.target as { bindingBytes?: number } // the device's own, to be narrowed for a moment
  const { bindingBytes } = target
  target.bindingBytes = 2 ** 14
  using y = embedding(table, ids)
  target.bindingBytes = bindingBytes!
  await evaluate(y)
  expect([...await y.data()]).toEqual([0, 299, 63, 64, 200].flatMap((row) => [...rows.slice(64 * row, 64 * row + 64)].map(Math.fround)))
})
