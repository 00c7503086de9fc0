import { ConfigError, Device, type Elements, evaluate, gradients, randn, ShapeError, type Tensor, tensor } from '@antipode/core'
import { type Initialiser, type Module, randomParameters } from '@antipode/core/nn'
import { rng } from '@antipode/core/random'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  batchToFrames, framePositions, framesToBatch, type Layer, repeatFrames, TemporalAttention, temporalAttention, TemporalConv, temporalConv,
} from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })

const same: Layer = { forward: (x) => x }
const counting = (shape: readonly number[]): Tensor =>
  tensor(device, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i), shape)
const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i]!)))

/** A block as training leaves it: every parameter moved, the zeros too. */
function trained<M extends Module>(block: M, seed = 5): M {
  const random = rng(seed)
  const moved = new Map([...block.namedParameters()].map(([name, p]) => {
    const around = name.includes('norm') && name.endsWith('weight') ? 1 : 0
    return [name, tensor(device, Float32Array.from({ length: p.size }, () => around + 0.3 * random.normal()), p.shape)]
  }))
  block.dispose()
  return block.withParameters(moved)
}

describe('layout', () => {
  test('frames become images of the same pixels and come back', async () => {
    using x = counting([2, 3, 4, 1, 2])
    using images = framesToBatch(x)
    expect(images.shape).toEqual([8, 3, 1, 2])
    // Clip 1, frame 2, channel 1: strides 24, 2 and 8 of the video.
    expect([...(await images.data()).slice(6 * 6 + 2, 6 * 6 + 4)]).toEqual([24 + 8 + 4, 24 + 8 + 5])
    using back = batchToFrames(images, 4)
    expect(await back.data()).toEqual(await x.data())
    using once = tensor(device, [7, 8])
    using each = repeatFrames(once, 3)
    expect([...await each.data()]).toEqual([7, 7, 7, 8, 8, 8])
  })

  test('tensors that are no videos are refused by name', () => {
    using image = counting([2, 3, 4, 5])
    expect(() => framesToBatch(image)).toThrow(ShapeError)
    expect(() => batchToFrames(image, 3)).toThrow(/B·3/)
    expect(() => temporalAttention(image, { norm: same, projIn: same, transformerBlocks: [], projOut: same })).toThrow(/\[B,C,F,H,W\]/)
  })
})

describe('framePositions', () => {
  test('are the sines and cosines of the formula', async () => {
    using p = framePositions(device, 24, 12)
    const got = await p.data()
    const want = Float64Array.from({ length: 24 * 12 }, (_, i) => {
      const [frame, channel] = [Math.floor(i / 12), i % 12]
      const angle = frame / 10_000 ** ((channel - (channel % 2)) / 12)
      return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
    })
    // WGSL grants sin an absolute error of 2^-11 between -π and π; what adapters give is better.
    expect(worst(got, want)).toBeLessThan(1e-4)
  })
})

const blocks: readonly (readonly [name: string, make: (init: Initialiser) => Module & Layer])[] = [
  ['TemporalConv', (init) => new TemporalConv(init, { channels: 4, groups: 2 })],
  ['TemporalAttention', (init) => new TemporalAttention(init, { channels: 4, heads: 2, groups: 2 })],
  [
    'TemporalAttention without feed-forward',
    (init) => new TemporalAttention(init, { channels: 4, heads: 2, groups: 2, feedForward: false }),
  ],
]

describe.each(blocks)('%s', (_, make) => {
  test('leaves every element as it is when new, and not when trained', async () => {
    using block = make(randomParameters(device, { seed: 1 }))
    using x = randn(device, [2, 4, 5, 3, 2], { seed: 2 })
    using y = block.forward(x)
    await evaluate(x, y)
    expect(await y.data()).toEqual(await x.data())
    using after = trained(make(randomParameters(device, { seed: 1 })))
    using z = after.forward(x)
    expect(worst(await z.data(), await x.data())).toBeGreaterThan(0.1)
  })

  test('hands the frames on in their order: another order gives more than the other order of the result', async () => {
    using block = trained(make(randomParameters(device, { seed: 1 })))
    using x = randn(device, [1, 4, 3, 2, 2], { seed: 3 })
    await evaluate(x)
    const data = await x.data()
    const swapped = (values: Float32Array): Float32Array => Float32Array.from(values, (_, i) => {
      const frame = Math.floor(i / 4) % 3 // frames 0 and 1 change places
      return values[frame === 0 ? i + 4 : frame === 1 ? i - 4 : i]!
    })
    using other = tensor(device, swapped(data as Float32Array), x.shape)
    using y = block.forward(x)
    using z = block.forward(other)
    expect(worst(await z.data(), swapped(await y.data() as Float32Array))).toBeGreaterThan(0.01)
  })

  test('has the gradients of central differences, in every parameter and in x', async () => {
    using block = trained(make(randomParameters(device, { seed: 1 })))
    const names = ['x', ...block.state().keys()]
    using weight = randn(device, [2, 4, 3, 2, 3], { seed: 8 })
    using input = randn(device, [2, 4, 3, 2, 3], { seed: 9 })
    await evaluate(weight, input)
    const loss = (values: ReadonlyMap<string, Tensor>): Tensor => {
      const moved = new Map(values)
      moved.delete('x')
      return block.withParameters(moved).forward(values.get('x') ?? input).mul(weight).sum().div(12)
    }
    const values = new Map<string, Tensor>([['x', input], ...block.state()])
    const grads = gradients(loss(values), [...values.values()])
    await evaluate(...grads)
    const random = rng(4)
    for (const [k, name] of names.entries()) {
      const at = values.get(name)!
      const direction = Float32Array.from({ length: at.size }, () => random.normal())
      using way = tensor(device, direction, at.shape)
      const value = async (step: number): Promise<number> => {
        using moved = at.add(way.mul(step))
        await evaluate(moved)
        using l = loss(new Map([[name, moved]]))
        return await l.item()
      }
      const difference = async (h: number): Promise<number> => (await value(h) - await value(-h)) / (2 * h)
      // Losses are about 1 (144 products of unit normals, over 12), so float32 rounds a quotient by 1e-7/h; layer norms of
      // four channels bend sharply, so the h² that a central difference leaves is taken out by a second one (Richardson).
      // Greatest difference measured: 6e-5, at derivatives up to 1.4.
      const h = 5e-3
      const numeric = (4 * await difference(h) - await difference(2 * h)) / 3
      const analytic = Array.from(await grads[k]!.data()).reduce((sum, g, i) => sum + g * direction[i]!, 0)
      expect(Math.abs(numeric - analytic), `${name}: ${analytic} against ${numeric}`).toBeLessThan(1.5e-4)
    }
    for (const g of grads) g.dispose()
  })
})

describe('temporalConv', () => {
  test('adds what its stages make of x, each after the other', async () => {
    using x = counting([1, 2, 2, 1, 1])
    using y = temporalConv(x, [{ forward: (h) => h.add(1) }, { forward: (h) => h.mul(2) }])
    expect([...await y.data()]).toEqual([2, 5, 8, 11])
  })

  test('a block equals loops in float64, with its norms over the whole clip and zeros beyond its ends', async () => {
    const [B, C, F, P, G] = [2, 4, 3, 6, 2]
    using block = trained(new TemporalConv(randomParameters(device, { seed: 1 }), { channels: C, groups: G }))
    using x = randn(device, [B, C, F, 2, 3], { seed: 6 })
    using y = block.forward(x)
    await evaluate(x, y)
    const p = new Map(await Promise.all([...block.namedParameters()].map(async ([k, t]) => [k, await t.data()] as const)))
    const index = (b: number, c: number, f: number, q: number): number => ((b * C + c) * F + f) * P + q
    const input = Array.from(await x.data())
    let h = [...input]
    for (const [n, at] of [[1, 2], [2, 3], [3, 3], [4, 3]] as const) {
      const [gamma, beta] = ['weight', 'bias'].map((k) => p.get(`conv${n}.0.${k}`)!) as [Elements, Elements]
      const [w, bias] = ['weight', 'bias'].map((k) => p.get(`conv${n}.${at}.${k}`)!) as [Elements, Elements]
      const per = (C / G) * F * P
      const active = h.map((v, i) => {
        const group = Math.floor(i / per) * per
        const cells = h.slice(group, group + per)
        const mean = cells.reduce((a, b) => a + b, 0) / per
        const variance = cells.reduce((a, b) => a + (b - mean) ** 2, 0) / per
        const c = Math.floor(i / (F * P)) % C
        const z = (v - mean) / Math.sqrt(variance + 1e-5) * gamma[c]! + beta[c]!
        return z / (1 + Math.exp(-z))
      })
      const next = new Array<number>(h.length).fill(0)
      for (let b = 0; b < B; b++) for (let o = 0; o < C; o++) for (let f = 0; f < F; f++) for (let q = 0; q < P; q++) {
        let sum = bias[o]!
        for (let c = 0; c < C; c++) for (let k = 0; k < 3; k++) {
          if (f + k - 1 >= 0 && f + k - 1 < F) sum += w[(o * C + c) * 3 + k]! * active[index(b, c, f + k - 1, q)]!
        }
        next[index(b, o, f, q)] = sum
      }
      h = next
    }
    expect(worst(await y.data(), h.map((v, i) => v + input[i]!))).toBeLessThan(2e-5) // four layers of float32
  })

  test('has the parameter names of diffusers', () => {
    using block = new TemporalConv(randomParameters(device, { seed: 1 }), { channels: 4, groups: 2 })
    expect([...block.state()].map(([k, t]) => `${k} ${t.shape.join('x')}`)).toEqual([1, 2, 3, 4].flatMap((n) => [
      `conv${n}.0.weight 4`, `conv${n}.0.bias 4`, `conv${n}.${n === 1 ? 2 : 3}.weight 4x4x3x1x1`, `conv${n}.${n === 1 ? 2 : 3}.bias 4`,
    ]))
  })
})

describe('temporalAttention', () => {
  test('gives the layers one sequence of frames for each pixel, and adds x', async () => {
    using x = counting([2, 3, 4, 2, 2])
    const mean: Layer = {
      forward: (t) => {
        expect(t.shape).toEqual([8, 4, 3])
        return t.mean({ axes: 1, keepDims: true }).expand(t.shape)
      },
    }
    using y = temporalAttention(x, { norm: same, projIn: same, transformerBlocks: [mean], projOut: same })
    using want = x.add(x.mean({ axes: 2, keepDims: true }))
    expect(worst(await y.data(), await want.data())).toBeLessThan(1e-4) // numbers up to 140 in float32
  })

  test('has the parameter names of diffusers', () => {
    using block = new TemporalAttention(randomParameters(device, { seed: 1 }), { channels: 4, heads: 2, groups: 2 })
    const inner = 'transformer_blocks.0.'
    expect([...block.state().keys()]).toEqual([
      'norm.weight', 'norm.bias', 'proj_in.weight', 'proj_in.bias', `${inner}norm1.weight`, `${inner}norm1.bias`,
      `${inner}attn1.to_q.weight`, `${inner}attn1.to_k.weight`, `${inner}attn1.to_v.weight`, `${inner}attn1.to_out.0.weight`,
      `${inner}attn1.to_out.0.bias`, `${inner}norm3.weight`, `${inner}norm3.bias`, `${inner}ff.net.0.proj.weight`,
      `${inner}ff.net.0.proj.bias`, `${inner}ff.net.2.weight`, `${inner}ff.net.2.bias`, 'proj_out.weight', 'proj_out.bias',
    ])
  })

  test('sizes that do not divide are refused before anything is allocated', () => {
    const init = randomParameters(device, { seed: 1 })
    expect(() => new TemporalAttention(init, { channels: 48, heads: 8 })).toThrow(/groups/)
    expect(() => new TemporalAttention(init, { channels: 6, heads: 4, groups: 2 })).toThrow(/heads/)
    expect(() => new TemporalAttention(init, { channels: 3, heads: 1, groups: 1 })).toThrow(ConfigError)
    expect(() => new TemporalConv(init, { channels: 6, groups: 4 })).toThrow(ConfigError)
  })
})
