import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CheckpointError } from '../../errors.ts'
import { type Tensor, tensor } from '../../graph/index.ts'
import { encodeSafetensors, readSafetensors } from '../../io/index.ts'
import { FakeHost } from '../../testing/index.ts'
import { Module } from '../module.ts'
import { readAll, stateOf, type StateSource } from './index.ts'

const f32 = (host: FakeHost, ...values: number[]): Tensor => tensor(host, values)

/** Parameters of a real and of an integer type. */
class Codes extends Module {
  readonly codes: Tensor
  readonly scale: Tensor
  constructor(host: FakeHost) {
    super()
    this.codes = tensor(host, [1, 2], [2], { dtype: 'u32' })
    this.scale = f32(host, 1)
  }
}

const file = (codes: 'U32' | 'F32'): ReturnType<typeof readSafetensors> => readSafetensors(encodeSafetensors([
  { name: 'codes', dtype: codes, shape: [2], data: codes === 'U32' ? Uint32Array.of(7, 2 ** 31) : Float32Array.of(7, 8) },
  { name: 'scale', dtype: 'F16', shape: [1], data: Uint16Array.of(0x3800) },
]))

test('tensors by name and an open file are one interface', async () => {
  const host = new FakeHost()
  await using open = await file('U32')
  for (const source of [stateOf(open), stateOf(new Map([['codes', tensor(host, [7, 2 ** 31], [2], { dtype: 'u32' })], ['scale', tensor(host, [0.5], [1], { dtype: 'f16' })]]))]) {
    expect([...source.names()]).toEqual(['codes', 'scale'])
    expect(source.info('codes')).toEqual({ shape: [2], dtype: 'U32', reads: ['u32'] })
    expect(source.info('scale')).toEqual({ shape: [1], dtype: 'F16', reads: ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] })
    expect(source.info('none')).toBeUndefined()
    expect([...await (await source.read('codes', host, 'u32')).data()]).toEqual([7, 2 ** 31])
    expect([...await (await source.read('scale', host, 'f32')).data()]).toEqual([0.5])
    await expect(source.read('none', host, 'f32')).rejects.toThrow(CheckpointError)
  }
})

test('what is read of a map is the reader\'s own, and the map stays the caller\'s', async () => {
  const host = new FakeHost()
  const given = new Map([['a', f32(host, 1, 2)]])
  const read = await stateOf(given).read('a', host, 'f32')
  expect(host.memory().tensors).toBe(1)
  given.get('a')?.dispose()
  expect([...await read.data()]).toEqual([1, 2])
  read.dispose()
  expect(host.memory().tensors).toBe(0)
})

test('parameters of integers are loaded from the same integers, and from nothing else', async () => {
  const model = new Codes(new FakeHost())
  await model.load(await file('U32'))
  expect([...await model.codes.data(), ...await model.scale.data()]).toEqual([7, 2 ** 31, 0.5])
  await expect(model.load(await file('F32'))).rejects.toThrow('1 of another dtype: codes (expected U32, got F32)')
})

test('a source that fails in the middle leaves nothing behind', async () => {
  const host = new FakeHost()
  const inner = stateOf(new Map([['a', f32(host, 1)], ['b', f32(host, 2)], ['c', f32(host, 3)]]))
  const broken: StateSource = { ...inner, names: () => inner.names(), info: (name) => inner.info(name), read: async (name, ...to) => {
    if (name === 'c') throw new CheckpointError('cut short')
    return tensor(host, await (await inner.read(name, ...to)).data())
  } }
  const before = host.memory().tensors
  await expect(readAll(broken, new Map([['a', 'f32'], ['b', 'f32'], ['c', 'f32']]), host)).rejects.toThrow('cut short')
  expect(host.memory().tensors).toBe(before)
})

test('several tensors are asked for at once, as a server takes its time for each; of large ones, two', async () => {
  const host = new FakeHost()
  const shapes = new Map(Array.from({ length: 20 }, (_, i) => [`t${i}`, [i < 15 ? 2 : 2 ** 21]]))
  const asked = { small: 0, large: 0 }
  const most = { small: 0, large: 0 }
  const slow: StateSource = {
    names: () => shapes.keys(),
    info: (name) => ({ shape: shapes.get(name) ?? [], dtype: 'F32', reads: ['f32'] }),
    async read(name) {
      const kind = shapes.get(name)?.[0] === 2 ? 'small' : 'large'
      most[kind] = Math.max(most[kind], ++asked[kind])
      await new Promise((done) => { setTimeout(done, 1) })
      asked[kind]--
      return f32(host, Number(name.slice(1)))
    },
  }
  const read = await readAll(slow, new Map([...shapes.keys()].map((name) => [name, 'f32'])), host)
  expect([...read.keys()]).toEqual([...shapes.keys()])
  expect([...await read.get('t17')!.data()]).toEqual([17])
  expect(most).toEqual({ small: 6, large: 2 })
})

test('large tensors take turns with the memory that they pass through, and keep their own numbers', async () => {
  const host = new FakeHost()
  const sizes = [2 ** 20 + 1, 2 ** 21, 2 ** 20 + 2, 8]
  const path = join(tmpdir(), `antipode-state-${process.pid}.safetensors`)
  writeFileSync(path, encodeSafetensors(sizes.map((size, i) =>
    ({ name: `t${i}`, dtype: 'F32' as const, shape: [size], data: new Float32Array(size).fill(i + 1) }))))
  try {
    await using file = await readSafetensors(path)
    const lent: (ArrayBuffer | undefined)[] = []
    const source = stateOf({ ...file, read: (name: string, into?: Uint8Array<ArrayBuffer>) => {
      lent.push(into?.buffer)
      return file.read(name, into)
    } })
    const read: Tensor[] = []
    for (const name of ['t1', 't0', 't2', 't3']) read.push(await source.read(name, host, 'f32'))
    const values = await Promise.all(read.map((t) => t.data()))
    expect(values.map((numbers) => [numbers.length, numbers[0], numbers.at(-1)]))
      .toEqual([[2 ** 21, 2, 2], [2 ** 20 + 1, 1, 1], [2 ** 20 + 2, 3, 3], [8, 4, 4]])
    expect([new Set(lent.slice(0, 3)).size, lent[3]]).toEqual([1, undefined])
  } finally {
    rmSync(path)
  }
})
