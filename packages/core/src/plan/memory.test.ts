import { type Binding, tuningTable } from '@antipode/kernels-wgsl'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkpoint, gradients } from '../autograd/index.ts'
import { concat, conv2d, groupNorm, upsampleNearest2d } from '../functional/index.ts'
import { type Tensor, tensor } from '../graph/index.ts'
import { adamw, clipGradNorm, ema, sgd } from '../optim/index.ts'
import { FakeHost, gpuTarget, graphCases, leavesOf, noise, randomGraph, stepKinds } from '../testing/index.ts'
import { UnsupportedError } from '../errors.ts'
import type { Plan } from './plan.ts'
import { sizeClass } from './sizes.ts'

const host = new FakeHost()
const writes = (b: Binding): boolean => b.kind === 'output' || b.kind === 'scratch' || b.kind === 'texture' && b.access === 'write'
const leaves = (): Tensor[] => [[2, 3, 4], [2, 3, 4], [4], [6, 4]].map((shape, k) => tensor(host, noise(shape.reduce((a, b) => a * b), k), shape))

/**
 * Runs a plan on symbols: every place of memory holds the number of the buffer written there last. Fails if a kernel reads
 * a buffer that was never written or was overwritten, writes on after losing its place, or reads and writes one place. WebGPU
 * forbids the last of parts of one buffer too, so a part counts as its whole.
 */
function simulate(plan: Plan): void {
  const holder = new Map<string, number>()
  const written = new Set<number>()
  const parts = new Set<number>()
  const wholeOf = (id: number): number => {
    const buffer = plan.buffers[id]
    return buffer?.kind === 'part' ? buffer.of : id
  }
  const place = (id: number): string => {
    const kind = plan.buffers[id]?.kind
    return kind === 'made' || kind === 'texture' ? (plan.memory.results.has(id) ? `result${id}` : `slot${plan.memory.slotOf[id]}`) : `${kind}${id}`
  }
  plan.dispatches.forEach((d, at) => {
    const outputs = new Set<string>()
    d.kernel.bindings.forEach((b, k) => {
      const id = wholeOf(d.buffers[k] as number)
      const label = `dispatch ${at} (${d.kernel.label}), buffer ${id}`
      if (writes(b)) {
        parts.add(d.buffers[k] as number)
        if (b.kind === 'output') outputs.add(place(id))
        if (written.has(id)) expect(holder.get(place(id)), `${label} goes on where something else was written`).toBe(id)
        written.add(id)
        holder.set(place(id), id)
      }
    })
    d.kernel.bindings.forEach((b, k) => {
      if (b.kind === 'scratch' || writes(b)) return
      const id = wholeOf(d.buffers[k] as number)
      const label = `dispatch ${at} (${d.kernel.label}), buffer ${id}`
      expect(outputs.has(place(id)), `${label} is read where it is written`).toBe(false)
      if (plan.buffers[id]?.kind === 'made' || plan.buffers[id]?.kind === 'texture') {
        expect(holder.get(place(id)), `${label} was overwritten or never written`).toBe(id)
        expect(parts.has(id) || parts.has(d.buffers[k] as number), `${label}, part ${d.buffers[k]} was never written`).toBe(true)
      }
    })
  })
  for (const id of plan.outputs) expect(plan.buffers[wholeOf(id)]?.kind === 'leaf' || holder.get(place(id)) === id, `result ${id} is there at the end`).toBe(true)
  plan.memory.slotOf.forEach((slot, id) => {
    if (slot !== undefined) expect(plan.memory.slots[slot]?.bytes, `slot of buffer ${id}`).toBeGreaterThanOrEqual(plan.buffers[id]?.bytes ?? Infinity)
  })
}

const steps = fc.array(fc.tuple(fc.nat(stepKinds - 1), fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 30 })

test('no buffer is overwritten before its last reader, in any graph, forward and backward', () => {
  fc.assert(fc.property(steps, fc.nat(5), (list, wanted) => {
    const start = leaves()
    const made = randomGraph(start, list)
    const loss = made.slice(-3).map((t) => t.mean()).reduce((a, b) => a.add(b))
    const plan = host.plan(loss, ...gradients(loss, start), ...made.slice(0, wanted))
    simulate(plan)
    expect(new Set(plan.outputs.filter((id) => plan.buffers[id]?.kind === 'made')).size).toBe(plan.outputs.length)
  }), { numRuns: 100, seed: 1 })
})

test('the composed graphs keep their buffers apart, with and without checkpoints', () => {
  for (const c of graphCases) {
    const t = leavesOf(host, c)
    const real = Object.values(t).filter((x) => x.dtype === 'f32')
    for (const loss of [c.loss(t), checkpoint(() => c.loss(t))]) simulate(host.plan(loss, ...gradients(loss, real)))
  }
})

test('operands in textures, handed over or shared, are there when they are read', () => {
  const packing = { buffer: 1, texture: 0.01, element: 0.01, dispatches: 0 }
  const target = { kind: 'software', subgroupSize: 8, textureRows: 16_384, tuning: { ...tuningTable.lavapipe, packing } } as const
  const software = new FakeHost({ ...gpuTarget, ...target })
  for (const images of [15, 16]) {
    const [x, ...weights] = [[images, 32, 8, 8], [32, 32, 3, 3], [32], [32, 32, 3, 3]].map((shape, k) => tensor(software, noise(shape.reduce((a, b) => a * b), k), shape)) as [Tensor, Tensor, Tensor, Tensor]
    const h = conv2d(groupNorm(x, 8, { activation: 'silu' }), weights[0], { bias: weights[1], padding: 1 })
    const loss = conv2d(groupNorm(upsampleNearest2d(h), 8).silu(), weights[2], { padding: 1 }).square().mean()
    const updates = adamw({ lr: 0.1 }).update(new Map(weights.map((w, k) => [`${k}`, w])), gradients(loss, weights))
    const plan = software.plan(loss, ...updates)
    expect(plan.buffers.some((b) => b.kind === 'texture')).toBe(true)
    simulate(plan)
  }
})

test('memory is reused: a long chain lives in two places', () => {
  let h = tensor(host, noise(4096, 1), [64, 64])
  for (let i = 0; i < 50; i++) h = h.matmul(h).tanh()
  const { slots } = host.plan(h).memory
  expect(slots).toEqual([{ kind: 'buffer', bytes: 16384 }, { kind: 'buffer', bytes: 16384 }])
})

test('branches that are joined are computed one after the other, in the memory of one', () => {
  const [x, w, v] = [[4, 8, 16, 16], [32, 8, 3, 3], [3, 32, 3, 3]].map((shape, k) => tensor(host, noise(shape.reduce((a, b) => a * b), k), shape)) as [Tensor, Tensor, Tensor]
  const branch = (k: number): Tensor => conv2d(conv2d(x.slice(0, k, k + 1), w, { padding: 1 }).silu(), v, { padding: 1 })
  const wide = 4 * 32 * 16 * 16
  const slotsOf = (count: number): number => host.plan(concat(Array.from({ length: count }, (_, k) => branch(k)))).memory.slots.filter(({ bytes }) => bytes >= wide).length
  expect([slotsOf(1), slotsOf(4)]).toEqual([slotsOf(1), slotsOf(1)])
})

test('a size class holds its bytes, wastes a fifth at most beyond 256, and is its own class', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (bytes) => {
    const size = sizeClass(bytes)
    expect(size).toBeGreaterThanOrEqual(bytes)
    expect(size % 4).toBe(0)
    expect(sizeClass(size)).toBe(size)
    if (bytes > 512) expect(size).toBeLessThanOrEqual(bytes * 1.25)
  }))
})

test('an update in place comes after every reader of the old value, and takes no memory', () => {
  const w = tensor(host, noise(16, 1), [4, 4])
  const x = tensor(host, noise(16, 2), [4, 4])
  const params = new Map([['w', w]])
  const loss = x.matmul(w).square().mean()
  const optimizer = adamw({ lr: 0.1 })
  const updates = optimizer.update(params, gradients(loss, [w]))
  const decay = w.square().sum() // reads the old value although it was written after the update
  const plan = host.plan(...updates, loss, decay)
  simulate(plan)
  const at = (label: string): number => plan.dispatches.findLastIndex((d) => d.kernel.label.startsWith(label))
  expect(at('adamw')).toBe(plan.dispatches.length - 1)
  const parameter = plan.outputs[0] as number
  expect(plan.buffers[parameter]?.kind).toBe('leaf')
  for (const d of plan.dispatches.slice(0, -1)) {
    d.kernel.bindings.forEach((b, k) => { if (d.buffers[k] === parameter) expect(b.kind).not.toBe('output') })
  }
})

test('two updates in one graph follow each other, and what reads the first result comes between', () => {
  const w = tensor(host, noise(16, 1), [4, 4])
  const g = tensor(host, noise(16, 2), [4, 4])
  // Each update has momentum of its own, which it overwrites too.
  const [once] = sgd({ lr: 0.1 }).update(new Map([['w', w]]), [g]) as [Tensor]
  const [twice] = sgd({ lr: 0.1 }).update(new Map([['w', once]]), [g.mul(2)]) as [Tensor]
  const between = once.square().sum()
  const plan = host.plan(twice, between)
  expect(plan.dispatches.map((d) => d.kernel.label.replace(/\/.*/, ''))).toEqual(['fused', 'sgd', 'fused', 'reduce', 'sgd'])
  simulate(plan)
})

/** A step on parameters of these sizes, which a loss reads under other shapes too, with clipping and an average. */
function jointStep(sizes: readonly number[]): { readonly plan: Plan; readonly updates: readonly Tensor[] } {
  const params = new Map(sizes.map((n, k) => [`p${k}`, tensor(host, noise(n, k), [n])]))
  const loss = [...params.values()].map((p) => p.sin().mul(p).sum()).reduce((a, b) => a.add(b))
  const grads = gradients(loss, [...params.values()])
  const updates = adamw({ lr: 0.1 }).update(params, grads, { gradScale: clipGradNorm(grads, 1).scale })
  const averages = ema(0.9).update(new Map(updates.map((t, k) => [`p${k}`, t])))
  return { plan: host.plan(loss, ...updates, ...averages), updates }
}

test('a step takes one kernel for all small parameters and one for each large one, and joins nothing by copies', () => {
  const { plan } = jointStep([3, 500, 70_000, 128, 65_536, 90_000, 1])
  simulate(plan)
  const count = (label: string): number => plan.dispatches.filter((d) => d.kernel.label.startsWith(label)).length
  expect([count('adamw'), count('ema'), count('flatConcat'), count('flatConcat/f32/zeros')]).toEqual([3, 3, 1, 1])
  const results = plan.outputs.slice(1).map((id) => plan.buffers[id])
  expect(results.filter((b) => b?.kind === 'part').map((b) => b?.bytes)).toEqual([12, 2000, 512, 4 * 65_536, 4, 12, 2000, 512, 4 * 65_536, 4])
  expect(results.filter((b) => b?.kind === 'leaf').map((b) => b?.bytes)).toEqual([280_000, 360_000, 280_000, 360_000])
})

test('a gradient that is asked for, is in a join twice, or is a parameter itself is copied and never read where it is written', () => {
  const [w, v] = [tensor(host, noise(20, 1), [20]), tensor(host, noise(20, 2), [4, 5])] as const
  const params = new Map([['w', w], ['v', v]])
  const g = w.exp()
  simulate(host.plan(...sgd({ lr: 0.1 }).update(params, [g, g.reshape([4, 5])]), g))
  simulate(host.plan(...sgd({ lr: 0.1 }).update(params, [w, v.mul(2)])))
  simulate(host.plan(...sgd({ lr: 0.1 }).update(params, [w, v])))
  const sum = g.add(v.reshape([20]))
  simulate(host.plan(...sgd({ lr: 0.1 }).update(params, [g.mul(sum), sum.reshape([4, 5])]), clipGradNorm([sum, g], 1).norm))
})

test('reading a value that the graph has overwritten is refused', () => {
  const w = tensor(host, noise(16, 1), [4, 4])
  const g = tensor(host, noise(16, 2), [4, 4])
  const step = (): Tensor => sgd({ lr: 0.1 }).update(new Map([['w', w]]), [g])[0] as Tensor
  expect(() => host.plan(step().sub(w))).toThrow(UnsupportedError)
  expect(() => host.plan(step(), step())).toThrow(/before it was overwritten/)
  // Parameters that are overwritten together are old together.
  const v = tensor(host, noise(3, 3), [3])
  const [w1, v1] = sgd({ lr: 0.1 }).update(new Map([['w', w], ['v', v]]), [g, v]) as [Tensor, Tensor]
  expect(() => host.plan(w1.sub(w))).toThrow(UnsupportedError)
  expect(() => host.plan(v1.sum().add(w))).toThrow(UnsupportedError)
  expect(() => sgd({ lr: 0.1 }).update(new Map([['w', w.mul(2)]]), [g]).map((t) => host.plan(t))).toThrow(/evaluate it first/)
})
