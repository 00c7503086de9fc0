import { existsSync, readdirSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Device, DeviceLostError, DisposedError, evaluate, gradients, NumericError, OutOfMemoryError, scope, ShapeError, type Tensor, tensor, zeros } from '../index.ts'
import { sgd } from '../optim/index.ts'
import { noise } from '../testing/index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

test('a disposed tensor cannot be read, computed with or written', async () => {
  const x = tensor(device, [1, 2])
  const later = x.mul(2)
  x.dispose()
  x.dispose()
  expect(() => x.add(1)).toThrow(DisposedError)
  expect(() => { x.write([3, 4]) }).toThrow(DisposedError)
  await expect(x.data()).rejects.toThrow(DisposedError)
  await expect(later.data()).rejects.toThrow(DisposedError)
})

test('a tensor disposed while it is computed is given back, and reading it says so', async () => {
  using x = tensor(device, [1, 2])
  const y = x.mul(2)
  const reading = y.data()
  y.dispose()
  await expect(reading).rejects.toThrow(DisposedError)
})

test('shapes that do not fit are refused at the line that combines them', () => {
  using a = tensor(device, [1, 2, 3])
  using b = tensor(device, [1, 2])
  let error: unknown
  try { a.add(b) } catch (e) { error = e }
  expect(error).toBeInstanceOf(ShapeError)
  expect((error as Error).message).toMatch(/add.*\[3\].*\[2\]/)
  expect((error as Error).stack).toContain('failures.dawn.test.ts')
})

test('numbers that are not finite are refused by their place, unless they are wanted', async () => {
  let error: unknown
  try { tensor(device, [1, Number.NaN, 3]) } catch (e) { error = e }
  expect(error).toBeInstanceOf(NumericError)
  expect((error as NumericError).where).toBe('element 1')
  using x = tensor(device, [1, Infinity], [2], { allowNonFinite: true })
  expect([...await x.data()]).toEqual([1, Infinity])
})

test('a tensor beyond the limits of the adapter is refused, and the device goes on', async () => {
  const tooMany = Math.floor(Math.min(device.gpu.limits.maxBufferSize, device.gpu.limits.maxStorageBufferBindingSize) / 4) + 1024
  const { live } = device.memory()
  await expect(zeros(device, [tooMany]).add(1).data()).rejects.toThrow(OutOfMemoryError)
  expect(device.memory().live).toBe(live)
  using x = tensor(device, [1, 2])
  using y = x.mul(2)
  expect([...await y.data()]).toEqual([2, 4])
})

test('a scope gives back what it did not return, also when it fails', async () => {
  await expect(scope(async () => {
    await tensor(device, [1]).mul(2).data()
    throw new RangeError('halfway')
  })).rejects.toThrow(RangeError)
  using kept = await scope(async () => {
    const x = tensor(device, [1, 2])
    const y = x.mul(2)
    await y.data()
    return y
  })
  expect(device.memory().tensors).toBe(1)
  expect([...await kept.data()]).toEqual([2, 4])
})

test('a lost device says so at the next use, and another one works', async () => {
  const lost = await Device.request()
  const x = tensor(lost, [1, 2])
  lost.gpu.destroy()
  await lost.gpu.lost
  await expect(x.mul(2).data()).rejects.toThrow(DeviceLostError)
  expect(() => tensor(lost, [1])).toThrow(/request a new Device/)
  const other = await Device.request()
  using y = tensor(other, [1, 2])
  expect([...await y.data()]).toEqual([1, 2])
  y.dispose()
  await other[Symbol.asyncDispose]()
})

test('a disposed device refuses work by name', async () => {
  const gone = await Device.request()
  await gone[Symbol.asyncDispose]()
  expect(() => tensor(gone, [1])).toThrow(DisposedError)
  await expect(zeros(gone, [2]).data()).rejects.toThrow(/request a new Device/)
})

test('everything that needs the GPU is refused after the device was disposed, and what counts still answers', async () => {
  const gone = await Device.request()
  const x = tensor(gone, [1, 2])
  await gone[Symbol.asyncDispose]()
  expect(() => { x.write([3, 4]) }).toThrow(DisposedError)
  await expect(x.data()).rejects.toThrow(DisposedError)
  await expect(x.item()).rejects.toThrow(ShapeError)
  await expect(gone.sync()).rejects.toThrow(DisposedError)
  await expect(gone.profile(() => Promise.resolve())).rejects.toThrow(DisposedError)
  expect(gone.plan(x.mul(2)).dispatches.length).toBe(1)
  gone.trim()
  x.dispose()
  expect(gone.memory().tensors).toBe(0)
  expect(gone.counters().runs).toBe(0)
  await gone[Symbol.asyncDispose]()
})

test('errors of a program\'s own work on the GPU are its own: the device lives on', async () => {
  const own = await Device.request()
  const told: string[] = []
  own.gpu.onuncapturederror = ({ error }) => { told.push(error.message) }
  for (const label of ['', 'plan', 'pool 256']) own.gpu.createBuffer({ label, size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE })
  const destroyed = own.gpu.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST })
  destroyed.destroy()
  own.gpu.queue.writeBuffer(destroyed, 0, new Uint8Array(16))
  using x = tensor(own, [1, 2])
  expect([...await x.data()]).toEqual([1, 2])
  expect(told.length).toBe(4)
  x.dispose()
  await own[Symbol.asyncDispose]()
})

test('an error that names an object of ours condemns the device, and so does one that names none', async () => {
  for (const message of ['[Buffer "antipode pool 256"] used in submit while destroyed.', 'a driver that tells nothing']) {
    const own = await Device.request()
    own.gpu.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error: new GPUValidationError(message) }))
    expect(() => tensor(own, [1])).toThrow(message)
    await own[Symbol.asyncDispose]()
  }
})

const tasks = '/proc/self/task'
test('devices that were disposed leave no threads and no files', async ({ skip }) => {
  skip(!existsSync(tasks), 'this system does not list threads')
  const open = (): number[] => [tasks, '/proc/self/fd'].map((folder) => readdirSync(folder).length)
  const request = async (): Promise<void> => { await (await Device.request())[Symbol.asyncDispose]() }
  await request()
  const [threads = 0, files = 0] = open()
  for (let k = 0; k < 4; k++) await request()
  const [after = 0, filesAfter = 0] = open()
  expect(after - threads).toBeLessThanOrEqual(0)
  expect(filesAfter - files).toBeLessThanOrEqual(0)
})

test('a graph beyond the adapter\'s limits is refused before anything is compiled, and leaves no trace', async () => {
  const { pipelines, plans } = device.counters()
  await expect(zeros(device, [2 ** 40]).add(1.5).exp().data()).rejects.toThrow(OutOfMemoryError)
  await expect(zeros(device, [2 ** 31, 2 ** 20]).sum().data()).rejects.toThrow(OutOfMemoryError)
  expect(device.counters()).toMatchObject({ pipelines, plans })
})

test('with checkFinite the first operation that makes a NaN is named, and finite training is what it is without', async () => {
  const checked = await Device.request({ checkFinite: true })
  const trained = async (on: Device): Promise<number[][]> => {
    const params = new Map(['a', 'b'].map((name, k) => [name, tensor(on, noise(64, k))]))
    using optimizer = sgd({ lr: 0.1, momentum: 0.9 })
    for (let k = 0; k < 2; k++) {
      const [a, b] = [...params.values()] as [Tensor, Tensor]
      const loss = a.mul(b).tanh().sum()
      const updates = optimizer.update(params, gradients(loss, [a, b]))
      await evaluate(loss, ...updates)
      for (const t of [loss, ...updates]) t.dispose()
    }
    const weights = await Promise.all([...params.values()].map(async (t) => [...await t.data()]))
    for (const t of params.values()) t.dispose()
    return weights
  }
  expect(await trained(checked)).toEqual(await trained(device))
  expect(checked.memory().tensors).toBe(0)
  using x = tensor(checked, [4, -1])
  await expect(x.sqrt().mul(0).sum().data()).rejects.toThrow(/^sqrt: expected a finite result, got NaN in f32\[2\], element 1/)
  x.dispose()
  expect(checked.memory().tensors).toBe(0)
  await checked[Symbol.asyncDispose]()
})

test('the environment asks for it as well', async () => {
  process.env['ANTIPODE_CHECK_FINITE'] = '1'
  try {
    await using own = await Device.request()
    await using plain = await Device.request({ checkFinite: false })
    expect([own.checkFinite, plain.checkFinite]).toEqual([true, false])
  } finally {
    delete process.env['ANTIPODE_CHECK_FINITE']
  }
})
