import type { Binding } from '@antipode/kernels-wgsl'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkpoint, gradients } from '../autograd/index.ts'
import { type Tensor, tensor } from '../graph/index.ts'
import { adamw, sgd } from '../optim/index.ts'
import { FakeHost, graphCases, leavesOf, noise, randomGraph, stepKinds } from '../testing/index.ts'
import { UnsupportedError } from '../errors.ts'
import type { Plan } from './plan.ts'
import { sizeClass } from './memory.ts'

const host = new FakeHost()
const writes = (b: Binding): boolean => b.kind === 'output' || b.kind === 'scratch' || b.kind === 'texture' && b.access === 'write'
const leaves = (): Tensor[] => [[2, 3, 4], [2, 3, 4], [4], [6, 4]].map((shape, k) => tensor(host, noise(shape.reduce((a, b) => a * b), k), shape))

/**
 * Runs a plan on symbols: every place of memory holds the number of the buffer written there last. Fails if a kernel reads
 * a buffer that was never written or was overwritten, writes on after losing its place, or reads and writes one place.
 */
function simulate(plan: Plan): void {
  const holder = new Map<string, number>()
  const written = new Set<number>()
  const place = (id: number): string => {
    const kind = plan.buffers[id]?.kind
    return kind === 'made' || kind === 'texture' ? (plan.memory.results.has(id) ? `result${id}` : `slot${plan.memory.slotOf[id]}`) : `${kind}${id}`
  }
  plan.dispatches.forEach((d, at) => {
    const outputs = new Set<string>()
    d.kernel.bindings.forEach((b, k) => {
      const id = d.buffers[k] as number
      const label = `dispatch ${at} (${d.kernel.label}), buffer ${id}`
      if (writes(b)) {
        if (b.kind === 'output') outputs.add(place(id))
        if (written.has(id)) expect(holder.get(place(id)), `${label} goes on where something else was written`).toBe(id)
        written.add(id)
        holder.set(place(id), id)
      }
    })
    d.kernel.bindings.forEach((b, k) => {
      if (b.kind === 'scratch' || writes(b)) return
      const id = d.buffers[k] as number
      const label = `dispatch ${at} (${d.kernel.label}), buffer ${id}`
      expect(outputs.has(place(id)), `${label} is read where it is written`).toBe(false)
      if (plan.buffers[id]?.kind === 'made' || plan.buffers[id]?.kind === 'texture') expect(holder.get(place(id)), `${label} was overwritten or never written`).toBe(id)
    })
  })
  for (const id of plan.outputs) expect(plan.buffers[id]?.kind === 'leaf' || holder.get(place(id)) === id, `result ${id} is there at the end`).toBe(true)
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

test('memory is reused: a long chain lives in two places', () => {
  let h = tensor(host, noise(4096, 1), [64, 64])
  for (let i = 0; i < 50; i++) h = h.matmul(h).tanh()
  const { slots } = host.plan(h).memory
  expect(slots).toEqual([{ kind: 'buffer', bytes: 16384 }, { kind: 'buffer', bytes: 16384 }])
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

test('reading a value that the graph has overwritten is refused', () => {
  const w = tensor(host, noise(16, 1), [4, 4])
  const g = tensor(host, noise(16, 2), [4, 4])
  const step = (): Tensor => sgd({ lr: 0.1 }).update(new Map([['w', w]]), [g])[0] as Tensor
  expect(() => host.plan(step().sub(w))).toThrow(UnsupportedError)
  expect(() => host.plan(step(), step())).toThrow(/before it was overwritten/)
  expect(() => sgd({ lr: 0.1 }).update(new Map([['w', w.mul(2)]]), [g]).map((t) => host.plan(t))).toThrow(/evaluate it first/)
})
