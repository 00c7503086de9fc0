import fc from 'fast-check'
import { beforeAll, expect, test, vi } from 'vitest'
import { sizeClass, type Slot } from '../plan/index.ts'
import { type Resource, ResourcePool } from './pool.ts'

const MiB = 2 ** 20

beforeAll(() => { vi.stubGlobal('GPUBufferUsage', { STORAGE: 0x80, COPY_SRC: 4, COPY_DST: 8 }) })

/** A pool on a device that only counts: what exists, whether what is destroyed was idle, and submissions. */
function poolOf(): {
  readonly pool: ResourcePool; readonly existing: Set<Resource>; readonly inUse: Set<Resource>; readonly submits: unknown[]
} {
  const [existing, inUse, submits] = [new Set<Resource>(), new Set<Resource>(), [] as unknown[]]
  const create = ({ size }: GPUBufferDescriptor): GPUBuffer => {
    const buffer = { size, destroy: () => { existing.delete(buffer) } } as GPUBuffer
    existing.add(buffer)
    return buffer
  }
  const limits = { maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: 2 ** 40 }
  const queue = { submit: (work: unknown) => { submits.push(work) }, onSubmittedWorkDone: async () => undefined }
  const createCommandEncoder = (): object => ({ finish: () => undefined })
  const pool = new ResourcePool({ limits, createBuffer: create, queue, createCommandEncoder } as unknown as GPUDevice)
  pool.onDestroy = (doomed) => { for (const r of doomed) expect(inUse.has(r)).toBe(false) }
  return { pool, existing, inUse, submits }
}

/** Runs a plan of slots and one result, and checks at each moment how much is held; returns the result. */
function run({ pool, existing, inUse }: ReturnType<typeof poolOf>, sizes: readonly number[], result: number): GPUBuffer {
  const tensors = pool.live
  const slots = sizes.map((bytes): Slot => ({ kind: 'buffer', bytes: sizeClass(bytes) }))
  const peak = slots.reduce((sum, s) => sum + s.bytes, sizeClass(result))
  pool.planned = Math.max(pool.planned, peak)
  const check = (): void => {
    const held = [...existing].reduce((sum, r) => sum + (r as GPUBuffer).size, 0)
    expect(held).toBe(pool.live + pool.pooled)
    // The result is a tensor from here on, and may be counted with the plan's peak too.
    const planned = tensors + pool.planned + sizeClass(result)
    expect(held).toBeLessThanOrEqual(Math.max(1.25 * planned, planned + 4 * MiB))
  }
  const used = <R extends Resource>(r: R): R => {
    expect(existing.has(r)).toBe(true)
    inUse.add(r)
    check()
    return r
  }
  const taken = slots.map((s) => used(pool.slot(s)))
  const kept = used(pool.buffer(result))
  for (const r of taken.reverse()) {
    inUse.delete(r)
    pool.releaseSlot(r)
    check()
  }
  return kept
}

test('whatever plans run in turn, a quarter more than they and the tensors take is the most that is held', () => {
  const size = fc.integer({ min: 1, max: 64 }).map((n) => n * MiB / 2)
  const plan = fc.record({ slots: fc.array(size, { maxLength: 6 }), result: size, kept: fc.nat(3) })
  fc.assert(fc.property(fc.array(plan, { minLength: 1, maxLength: 30 }), (plans) => {
    const host = poolOf()
    const results: GPUBuffer[] = []
    for (const { slots, result, kept } of plans) {
      results.push(run(host, slots, result))
      for (const r of results.splice(0, Math.max(0, results.length - kept))) {
        host.inUse.delete(r)
        host.pool.release(r)
      }
      const planned = host.pool.live + host.pool.planned
      expect(host.pool.live + host.pool.pooled).toBeLessThanOrEqual(Math.max(1.25 * planned, planned + 4 * MiB))
    }
  }), { numRuns: 200, seed: 1 })
})

test('a plan that runs again, or in turn with much smaller ones, is handed what it had', () => {
  const host = poolOf()
  const round = (): void => {
    const results = [run(host, [40 * MiB, 20 * MiB, 20 * MiB], 30 * MiB), run(host, [3 * MiB, 5 * MiB], 2 * MiB)]
    for (const r of results) {
      host.inUse.delete(r)
      host.pool.release(r)
    }
  }
  round()
  const { created } = host.pool
  for (let i = 0; i < 5; i++) round()
  expect(host.pool.created).toBe(created)
  host.pool.trim()
  expect([host.existing.size, host.pool.pooled, host.pool.live]).toEqual([0, 0, 0])
})

test('what waited longest goes first', () => {
  const host = poolOf()
  const sizes = [8, 7, 6, 5].map((n) => n * MiB)
  host.pool.planned = 20 * MiB
  const [a, b, c, d] = sizes.map((bytes) => host.pool.buffer(bytes)) as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer]
  for (const r of [c, a, d, b]) host.pool.release(r)
  // Of 26 MiB, 25 may stay.
  expect([a, b, c, d].map((r) => host.existing.has(r))).toEqual([true, true, false, true])
})

test('the driver is told once of many buffers that are dropped together, and not of a few bytes', async () => {
  const { pool, existing, submits } = poolOf()
  const drop = async (count: number): Promise<number> => {
    const taken = Array.from({ length: count }, () => pool.buffer(MiB))
    for (const r of taken) pool.release(r)
    pool.trim()
    await Promise.resolve()
    return submits.length
  }
  expect([await drop(2), await drop(100), await drop(3), existing.size]).toEqual([0, 1, 1, 0])
})

test('what stays has a buffer of its own size where that is large, up to what a buffer may be', () => {
  const { pool, existing } = poolOf()
  const weight = pool.lasting(9.1 * MiB)
  expect([weight.size, pool.live]).toEqual([Math.ceil(9.1 * MiB / 256) * 256, weight.size])
  expect(pool.lasting(5000).size).toBe(sizeClass(5000))
  pool.release(weight)
  expect([existing.has(weight), pool.live]).toEqual([false, sizeClass(5000)])
  expect(() => pool.lasting(2 ** 40 + 1)).toThrow('expected at most 1099511627776 bytes in one tensor')
})
