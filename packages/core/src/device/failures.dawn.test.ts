import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Device, DeviceLostError, DisposedError, NumericError, OutOfMemoryError, scope, ShapeError, tensor, zeros } from '../index.ts'

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
