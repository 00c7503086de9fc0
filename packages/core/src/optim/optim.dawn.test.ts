import { afterAll, beforeAll, expect, test } from 'vitest'
import { CheckpointError, ConfigError, Device, evaluate, gradients, ShapeError, type Tensor, tensor } from '../index.ts'
import { noise } from '../testing/index.ts'
import { accumulator, adamw, clipGradNorm, constantWithWarmup, cosineDecay, ema, linearDecay, type Optimizer, sgd } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const start = { w: [0.5, -1, 2, 3, -0.25], b: [1, -0.125] }
const params = (): Map<string, Tensor> => new Map(Object.entries(start).map(([name, v]) => [name, tensor(device, v)]))
const free = (tensors: Iterable<Tensor>): void => { for (const t of tensors) t.dispose() }
const read = async (tensors: ReadonlyMap<string, Tensor>): Promise<number[]> => {
  const all: number[] = []
  for (const t of tensors.values()) all.push(...await t.data())
  return all
}
const expectClose = (got: readonly number[], want: readonly number[], tolerance: number): void => {
  expect(got.length).toBe(want.length)
  got.forEach((v, i) => { expect(Math.abs(v - (want[i] ?? Number.NaN)), `element ${i}: ${v} vs ${want[i]}`).toBeLessThanOrEqual(tolerance) })
}

/** Gradient of Σ sin(3p)·p, which changes from step to step. */
const slope = (p: number): number => 3 * Math.cos(3 * p) * p + Math.sin(3 * p)
const loss = (p: ReadonlyMap<string, Tensor>): Tensor => [...p.values()].map((t) => t.mul(3).sin().mul(t).sum()).reduce((a, b) => a.add(b))

async function run(optimizer: Optimizer, p: Map<string, Tensor>, steps: number, rate?: (k: number) => number): Promise<number[]> {
  const losses: number[] = []
  for (let k = 0; k < steps; k++) {
    using value = loss(p)
    const updates = optimizer.update(p, gradients(value, [...p.values()]), rate ? { lr: rate(k) } : {})
    await evaluate(value, ...updates)
    losses.push(await value.item())
    free(updates)
  }
  return losses
}

test('adamw takes the steps of its paper', async () => {
  const p = params()
  using optimizer = adamw({ lr: 0.05, betas: [0.8, 0.95], eps: 1e-6, weightDecay: 0.1 })
  await run(optimizer, p, 5)
  const want = [...start.w, ...start.b]
  const [m, v] = [want.map(() => 0), want.map(() => 0)]
  for (let t = 1; t <= 5; t++) {
    want.forEach((x, i) => {
      const g = slope(x)
      m[i] = 0.8 * m[i]! + 0.2 * g
      v[i] = 0.95 * v[i]! + 0.05 * g * g
      want[i] = x - 0.05 * 0.1 * x - 0.05 * (m[i]! / (1 - 0.8 ** t)) / (Math.sqrt(v[i]! / (1 - 0.95 ** t)) + 1e-6)
    })
  }
  // Five steps of some 0.05 each, of which f32 gradients of up to 10 move the direction by a few 1e-7.
  expectClose(await read(p), want, 2e-6)
  expect(optimizer.step).toBe(5)
  free(p.values())
})

test('sgd keeps its momentum, and other learning rates compile nothing', async () => {
  const p = params()
  using optimizer = sgd({ lr: 1, momentum: 0.5, weightDecay: 0.01 })
  await run(optimizer, p, 1, () => 0.01)
  const { pipelines, plans } = device.counters()
  await run(optimizer, p, 3, (k) => 0.02 + 0.01 * k)
  expect(device.counters()).toMatchObject({ pipelines, plans })
  const want = [...start.w, ...start.b]
  const buffer = want.map(() => 0)
  for (const lr of [0.01, 0.02, 0.03, 0.04]) {
    want.forEach((x, i) => {
      buffer[i] = 0.5 * buffer[i]! + slope(x) + 0.01 * x
      want[i] = x - lr * buffer[i]!
    })
  }
  expectClose(await read(p), want, 3e-6)
  free(p.values())
})

test('a run resumed from its state continues to the bit', async () => {
  const p = params()
  using first = adamw({ lr: 0.05 })
  await run(first, p, 3)
  const copy = async (from: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> => {
    const out = new Map<string, Tensor>()
    for (const [name, t] of from) out.set(name, tensor(device, await t.data(), t.shape))
    return out
  }
  const later = await copy(p)
  const { step, tensors } = first.state()
  expect([...tensors.keys()]).toEqual(['w.exp_avg', 'w.exp_avg_sq', 'b.exp_avg', 'b.exp_avg_sq'])
  using second = adamw({ lr: 0.05 })
  second.load({ step, tensors: await copy(tensors) })
  const [a, b] = [await run(first, p, 3), await run(second, later, 3)]
  expect(b).toEqual(a)
  expect(await read(later)).toEqual(await read(p))
  expect(() => second.load({ step: 0, tensors: p })).toThrow(CheckpointError)
  free(p.values())
  free(later.values())
})

/** Steps on parameters of these sizes, together or each under an optimiser of its own; the parameters and averages that result. */
async function steps(sizes: readonly number[], dtype: 'f32' | 'f16', make: () => Optimizer, together: boolean): Promise<number[][]> {
  const p = new Map(sizes.map((n, k) => [`p${k}`, tensor(device, noise(n, k), [n], { dtype })]))
  const parts = together ? [p] : [...p].map((entry) => new Map([entry]))
  const runs = parts.map((params) => ({ params, optimizer: make(), average: ema(0.5) }))
  for (let k = 0; k < 3; k++) {
    for (const { params, optimizer, average } of runs) {
      const updates = optimizer.update(params, [...params.values()].map((t) => t.mul(3 + k).sin()), { gradScale: 0.5 })
      const averages = average.update(new Map([...params.keys()].map((name, i) => [name, updates[i] as Tensor])))
      await evaluate(...updates, ...averages)
      free([...updates, ...averages])
    }
  }
  const out: number[][] = []
  for (const { params, optimizer, average } of runs) {
    for (const t of params.values()) out.push([...await t.data()])
    for (const t of average.averages().values()) out.push([...await t.data()])
    optimizer[Symbol.dispose]()
    average[Symbol.dispose]()
  }
  free(p.values())
  // Parameters first, then averages, in either case.
  return together ? out : [...out.filter((_, k) => k % 2 === 0), ...out.filter((_, k) => k % 2 === 1)]
}

test('parameters that are updated together end bit for bit as each would alone', async () => {
  const sizes = [3, 500, 66_000, 128, 1, 129]
  const makers = [() => adamw({ lr: 0.05, weightDecay: 0.1 }), () => sgd({ lr: 0.1, momentum: 0.9, nesterov: true })]
  for (const dtype of device.target.f16 ? ['f32', 'f16'] as const : ['f32'] as const) {
    for (const make of makers) expect(await steps(sizes, dtype, make, true)).toEqual(await steps(sizes, dtype, make, false))
  }
})

test('what lies together is read, written, given back, updated alone and laid together anew like what does not', async () => {
  const p = new Map([3, 200, 5].map((n, k) => [`p${k}`, tensor(device, new Float32Array(n).fill(k + 1))]))
  const [a, b, c] = [...p.values()] as [Tensor, Tensor, Tensor]
  /** Subtracts 1. */
  const step = async (params: ReadonlyMap<string, Tensor>): Promise<void> => {
    using optimizer = sgd({ lr: 1 })
    const updates = optimizer.update(params, [...params.values()].map((t) => t.mul(0).add(1)))
    await evaluate(...updates)
    free(updates)
  }
  // Asked for before the parameters move, and run before they change.
  using total = c.sum()
  const running = total.item()
  await step(p)
  expect(await running).toBe(15)
  const { plans } = device.counters()
  await step(p)
  expect(device.counters().plans).toBe(plans)
  expect(await read(p)).toEqual([...Array<number>(3).fill(-1), ...Array<number>(200).fill(0), ...Array<number>(5).fill(1)])
  b.write(new Float32Array(200).fill(7))
  using sum = a.mul(b.slice(0, 64, 67)).add(c.slice(0, 2))
  expect([...await sum.data()]).toEqual([-6, -6, -6])
  await step(new Map([['p0', a], ['p2', c]]))
  expect([...await b.data()]).toEqual(Array<number>(200).fill(7))
  await step(new Map([['p1', b]]))
  b.dispose()
  await step(new Map([['p2', c]]))
  await step(new Map([['p2', c], ['p0', a]]))
  expect([...await a.data(), ...await c.data()]).toEqual([-3, -3, -3, -2, -2, -2, -2, -2])
  // Two numbers, and one buffer of two places.
  expect(device.memory().live).toBe(2 * 256 + 2 * 512)
  free([a, c])
})

test('clipping scales all gradients by one factor, and only when they are too long', async () => {
  const p = params()
  const grads = [...p.values()]
  const norm = Math.hypot(...start.w, ...start.b)
  for (const max of [1, 100]) {
    const clipped = clipGradNorm(grads, max)
    await evaluate(clipped.norm, clipped.scale, ...clipped.grads)
    const factor = Math.min(1, max / (norm + 1e-6))
    expect(await clipped.norm.item()).toBeCloseTo(norm, 5)
    expect(await clipped.scale.item()).toBeCloseTo(factor, 6)
    expectClose([...await clipped.grads[0]!.data()], start.w.map((x) => x * factor), 5e-7)
    free([clipped.norm, clipped.scale, ...clipped.grads])
  }
  free(grads)
})

test('half-precision gradients are clipped by the whole factor, not by what f16 makes of it', async ({ skip }) => {
  if (!device.target.f16) skip()
  // f16 holds the factor 5.5e-6 with 6 bits, and the gradient that it makes of 11,000 with all of its own.
  const grads = [tensor(device, [11_000, -3000], [2], { dtype: 'f16' })]
  const norm = Math.hypot(11_000, 3000)
  const clipped = clipGradNorm(grads, 0.0627)
  const got = await clipped.grads[0]!.data()
  expectClose([...got].map((g, i) => g / ([11_000, -3000][i]! * 0.0627 / norm)), [1, 1], 2 ** -10)
  free([...grads, ...clipped.grads])
})

test('large and small gradients count alike in the norm', async () => {
  const sizes = [70_000, 3, 66_000, 500]
  const grads = sizes.map((n, k) => tensor(device, new Float32Array(n).fill(k + 1)))
  const { norm } = clipGradNorm(grads, 1)
  const want = Math.sqrt(sizes.reduce((sum, n, k) => sum + n * (k + 1) ** 2, 0))
  // A sum of 136,000 whole numbers in blocks: exact but for the last blocks.
  expect(Math.abs(await norm.item() / want - 1)).toBeLessThan(1e-6)
  free([norm, ...grads])
})

test('a gradient scale from the GPU equals scaled gradients', async () => {
  const step = async (scaled: boolean): Promise<number[]> => {
    const p = params()
    using optimizer = sgd({ lr: 0.1 })
    const grads = gradients(loss(p), [...p.values()])
    const clipped = clipGradNorm(grads, 1)
    const updates = scaled ? optimizer.update(p, grads, { gradScale: clipped.scale }) : optimizer.update(p, clipped.grads)
    await evaluate(...updates)
    free(updates)
    const out = await read(p)
    free(p.values())
    return out
  }
  expectClose(await step(true), await step(false), 2e-7)
})

test('an average starts at the first parameters and follows them', async () => {
  const p = params()
  using average = ema(0.75)
  expect(() => average.averages()).toThrow(ConfigError)
  const follow = async (): Promise<void> => {
    const updates = average.update(p)
    await evaluate(...updates)
    free(updates)
  }
  await follow()
  expect(await read(average.averages())).toEqual([...start.w, ...start.b])
  free(p.values())
  for (const [name, v] of Object.entries(start)) p.set(name, tensor(device, v.map((x) => x + 4)))
  await follow()
  expect([...average.averages().keys()]).toEqual(['w', 'b'])
  expect(await read(average.averages())).toEqual([...start.w, ...start.b].map((x) => x + 1))
  free(p.values())
})

test('accumulated gradients are the mean of the batches, batch after batch', async () => {
  const p = params()
  using sum = accumulator()
  for (let round = 0; round < 2; round++) {
    for (const k of [1, 2, 6]) {
      const updates = sum.add(p, [...p.values()].map((t) => t.mul(k)))
      await evaluate(...updates)
      free(updates)
    }
    expect(sum.count).toBe(3)
    expectClose(await read(sum.mean()), [...start.w, ...start.b].map((x) => 3 * x), 1e-6)
    sum.reset()
  }
  expect(() => sum.mean()).toThrow(ConfigError)
  free(p.values())
})

test('missing and misshapen gradients and bad hyperparameters are refused', () => {
  const p = params()
  using optimizer = adamw({ lr: 0.1 })
  expect(() => optimizer.update(p, [p.get('w') as Tensor])).toThrow(ShapeError)
  expect(() => optimizer.update(p, new Map([['w', p.get('b') as Tensor]]))).toThrow(/expected a gradient \[5\] for w, got \[2\]/)
  expect(() => adamw({ lr: -1 })).toThrow(ConfigError)
  expect(() => ema(1)).toThrow(ConfigError)
  for (const bad of [{ lr: Number.NaN }, { gradScale: -1 }, { gradScale: Number.NaN }, { gradScale: p.get('w') }, { rate: 1 }]) {
    expect(() => optimizer.update(p, [...p.values()], bad as object)).toThrow(/^adamw.update: expected/)
  }
  for (const max of [0, -1, Number.NaN]) expect(() => clipGradNorm([...p.values()], max)).toThrow(ConfigError)
  expect(() => optimizer.load({ step: 0.5, tensors: new Map() })).toThrow(CheckpointError)
  expect(optimizer.step).toBe(0)
  free(p.values())
})

const wrong = [Number.NaN, Infinity, -1, '1', null]
test.each<[string, (value: never) => unknown, readonly unknown[], readonly unknown[]]>([
  ['adamw lr', (lr) => adamw({ lr }), [0, 3e38], [...wrong, 1e39, undefined]],
  ['adamw betas', (beta) => adamw({ lr: 1, betas: [0.9, beta] }), [0, 0.9999], [...wrong, 1, 1 - 1e-9]],
  ['adamw list of betas', (betas) => adamw({ lr: 1, betas }), [[0.9, 0.99]], [0.9, [0.9], [0.9, 0.99, 0.999]]],
  // At 0, or what f32 takes for 0, a gradient of 0 would be divided by it.
  ['adamw eps', (eps) => adamw({ lr: 1, eps }), [1e-30], [...wrong, 0, 1e-50]],
  ['adamw weightDecay', (weightDecay) => adamw({ lr: 1, weightDecay }), [0, 0.1], wrong],
  ['adamw option', (name) => adamw({ lr: 1, [name]: 1 }), ['eps'], ['epsilon', 'decay']],
  ['sgd lr', (lr) => sgd({ lr }), [0], wrong],
  ['sgd momentum', (momentum) => sgd({ lr: 1, momentum }), [0, 1], [...wrong, 1.5]],
  ['sgd nesterov', (nesterov) => sgd({ lr: 1, momentum: 0.9, nesterov }), [true], [1, null]],
  ['sgd nesterov without momentum', (nesterov) => sgd({ lr: 1, nesterov }), [false], [true]],
  ['ema decay', (decay) => ema(decay), [0, 0.999], [...wrong, 1, 1 - 1e-9, undefined]],
  ['constantWithWarmup', (warmup) => constantWithWarmup(warmup), [0, 5], [...wrong, 2.5, undefined]],
  ['cosineDecay steps', (steps) => cosineDecay({ steps }), [1, 9], [...wrong, 0, 2.5, undefined]],
  ['cosineDecay warmup', (warmup) => cosineDecay({ warmup, steps: 5 }), [0, 4], [...wrong, 5, 0.5]],
  ['linearDecay warmup', (warmup) => linearDecay({ warmup, steps: 5 }), [0, 4], [...wrong, 5, 0.5]],
])('%s is refused outside its range', (_, make, inside, outside) => {
  for (const value of inside) expect(() => make(value as never), String(value)).not.toThrow()
  for (const value of outside) expect(() => make(value as never), String(value)).toThrow(ConfigError)
})

test('schedules warm up, and end at zero', () => {
  const warm = constantWithWarmup(4)
  expect([0, 2, 4, 100].map(warm)).toEqual([0, 0.5, 1, 1])
  const wave = cosineDecay({ warmup: 2, steps: 10 })
  expect([0, 1, 2].map(wave)).toEqual([0, 0.5, 1])
  expect(wave(6)).toBeCloseTo(0.5, 12)
  expect(wave(10)).toBeCloseTo(0, 12)
  expect(wave(99)).toBeCloseTo(0, 12)
  expect([2, 6, 10, 11].map(linearDecay({ warmup: 2, steps: 10 }))).toEqual([1, 0.5, 0, 0])
  expect(() => cosineDecay({ warmup: 5, steps: 5 })).toThrow(ConfigError)
})

test('everything is given back', () => {
  expect(device.memory()).toMatchObject({ tensors: 0, live: 0 })
})
