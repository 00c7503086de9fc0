import { ConfigError, OutOfMemoryError, type Plan, type Tensor, tensorFromBytes } from '@antipode/core'
import { type Initialiser, placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { l1, near, sum } from '../testing/index.ts'
import golden from './autoencoder-kl.golden.json' with { type: 'json' }
import { AutoencoderKL, type AutoencoderKLConfig, type PartsOptions, tilingWithin } from './index.ts'
import { tileSides } from './tiles.ts'

/** As small as a model of two levels can be. */
const least: AutoencoderKLConfig = {
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  block_out_channels: [1, 1], norm_num_groups: 1, latent_channels: 1, sample_size: 8, mid_block_add_attention: false,
  in_channels: 1, out_channels: 1,
}

async function made(host: FakeHost, config: AutoencoderKLConfig): Promise<AutoencoderKL> {
  const model = new AutoencoderKL(placeholders(host), config)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)])))
  return model
}

interface Want {
  readonly sum: number
  readonly absMean: number
  readonly first16: readonly number[]
}

function holds(got: Float64Array, want: Want): void {
  want.first16.forEach((value, i) => { near(got[i], value, want.absMean) })
  near(sum(got), want.sum, want.absMean * got.length)
  near(l1(got), want.absMean * got.length, want.absMean * got.length)
}

test('tiles are blended as in diffusers, in float64', async () => {
  const { config, inputs, values } = golden.tiles
  const host = new FakeHost()
  const model = await made(host, config as AutoencoderKLConfig)
  const [x, z] = [waves(host, 'input.x', inputs.x, 0, 1), waves(host, 'input.z', inputs.z, 0, 1)]
  const outputs = [model.decode(z, { tiling: true }), model.encode(x, { tiling: true }).moments] as const
  expect(outputs.map((t) => t.shape)).toEqual([[2, 3, 40, 28], [1, 8, 18, 22]])
  const [decoded, encoded] = interpret(outputs) as [Float64Array, Float64Array]
  holds(decoded, values.decode_tiled)
  holds(encoded, values.encode_tiled_moments)
})

const gap = (a: Float64Array, b: ArrayLike<number>): number => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)))

test('slices and tiles that hold the whole are the whole', async () => {
  const host = new FakeHost()
  const model = await made(host, least)
  const z = waves(host, 'z', [3, 1, 5, 6], 0, 1)
  const decoded = (options: PartsOptions): Tensor => model.decode(z, options)
  const [plain, sliced, large] = interpret([{}, { slicing: true }, { tiling: { size: 12 } }].map(decoded))
  expect([gap(plain!, sliced!), gap(plain!, large!)]).toEqual([0, 0])
  const tiling = { size: 9, overlap: 0.3 } // Four latents, one of which the next tile has too, as by default.
  const [tiled, both] = interpret([{ tiling: true }, { tiling, slicing: true }].map(decoded))
  expect([gap(tiled!, both!), gap(plain!, tiled!) > 0.01]).toEqual([0, true])
})

test('computed part by part, images are the same, parts are counted, and nothing else is left', async () => {
  const host = new FakeHost()
  const model = await made(host, least)
  const [x, z] = [waves(host, 'x', [1, 1, 11, 8], 0, 1), waves(host, 'z', [2, 1, 5, 6], 0, 1)]
  const before = host.memory().tensors
  const told: string[] = []
  const options = { tiling: true, onPart: (done: number, of: number): void => { told.push(`${done}/${of}`) } }
  const image = await model.decodeInParts(z, { ...options, slicing: true })
  expect(told.splice(0)).toEqual(Array.from({ length: 8 }, (_, k) => `${k + 1}/8`))
  const { moments } = await model.encodeInParts(x, options)
  expect(told).toEqual(['1/4', '2/4', '3/4', '4/4'])
  expect(host.memory().tensors).toBe(before + 2)
  const [decoded, encoded] = interpret([model.decode(z, { tiling: true }), model.encode(x, { tiling: true }).moments])
  const gaps = [gap(decoded!, await image.data()), gap(encoded!, await moments.data())]
  expect(gaps.every((most) => most < 1e-5)).toBe(true)
  const whole = await model.decodeInParts(z)
  expect([whole.shape, host.memory().tensors]).toEqual([image.shape, before + 3])
})

test('an abort between parts leaves nothing on the device', async () => {
  const host = new FakeHost()
  const model = await made(host, least)
  const z = waves(host, 'z', [1, 1, 5, 6], 0, 1)
  const before = host.memory().tensors
  for (const last of [1, 2, 4]) {
    const stop = new AbortController()
    const onPart = (done: number): void => { if (done === last) stop.abort(new Error('enough')) }
    await expect(model.decodeInParts(z, { tiling: true, signal: stop.signal, onPart })).rejects.toThrow('enough')
    expect(host.memory().tensors).toBe(before)
  }
  await expect(model.decodeInParts(z, { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early')
})

test('sides that no tile divides keep their size, down to one pixel more than a tile', async () => {
  const host = new FakeHost()
  const model = await made(host, least)
  for (const [height, width] of [[9, 8], [8, 15], [19, 13], [4, 32]] as const) {
    const { mean } = model.encode(waves(host, 'x', [1, 1, height, width], 0, 1), { tiling: true })
    const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)]
    expect(mean.shape).toEqual([1, 1, rows, columns])
    for (const tiling of [{ overlap: 0 }, { size: 7, overlap: 0.9 }]) {
      expect(model.decode(mean, { tiling }).shape).toEqual([1, 1, 2 * rows, 2 * columns])
    }
    expect(interpret([mean])[0]!.every(Number.isFinite)).toBe(true)
  }
})

test.each<[object, string]>([
  [{ tilling: true }, 'AutoencoderKL.decode: expected options among tiling, slicing, got tilling'],
  [{ tiling: 512 }, 'AutoencoderKL.decode: expected tiling to be true or false or size and overlap of tiles, got 512'],
  [{ tiling: { side: 512 } }, 'AutoencoderKL.decode: tiling: expected options among size, overlap, got side'],
  [{ tiling: { overlap: 1 } }, 'expected overlap to be a number in [0, 1), got 1'],
  [{ tiling: { size: 1 } }, 'AutoencoderKL.decode: expected tiling.size of 2 pixels or more, got 1'],
  [{ tiling: { size: 8192 } }, 'expected tiles that overlap by 1024 pixels at most, got 2048'],
  [{ slicing: 1 }, 'expected slicing to be true or false, got 1'],
])('%j is refused by name', (options, text) => {
  const host = new FakeHost()
  const model = new AutoencoderKL(placeholders(host), least)
  const z = waves(host, 'z', [1, 1, 4, 4], 0, 1)
  expect(() => model.decode(z, options)).toThrow(ConfigError)
  expect(() => model.decode(z, options)).toThrow(text)
})

/** Parameters that a plan sees in memory of their own. */
function uploaded(host: FakeHost, shape: readonly number[]): Tensor {
  return tensorFromBytes(host, new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)), shape, 'f32')
}

/** Stable Diffusion's autoencoder, or one that is narrower. */
function stable(host: FakeHost, narrower = 1): AutoencoderKL {
  const leaf = (shape: readonly number[]): Tensor => uploaded(host, shape)
  const init: Initialiser = { device: host, dtype: 'f32', uniform: leaf, normal: leaf, filled: leaf }
  return new AutoencoderKL(init, {
    block_out_channels: [128, 256, 512, 512].map((n) => n / narrower), layers_per_block: 2, sample_size: 512,
    norm_num_groups: 4,
    down_block_types: new Array(4).fill('DownEncoderBlock2D'), up_block_types: new Array(4).fill('UpDecoderBlock2D'),
  })
}

test('a large image takes little more memory than one tile, and a batch than one image', () => {
  const host = new FakeHost()
  const model = stable(host)
  const mebibytes = (t: Tensor): number => Math.round(host.plan(t).peakBytes / 2 ** 20)
  const decoded = (batch: number, side: number, options: PartsOptions = {}): number =>
    mebibytes(model.decode(uploaded(host, [batch, 4, side / 8, side / 8]), options))
  const encoded = (side: number, options: PartsOptions = {}): number =>
    mebibytes(model.encode(uploaded(host, [1, 3, side, side]), options).moments)
  expect([decoded(1, 512), decoded(1, 1024), decoded(1, 1024, { tiling: true })]).toEqual([659, 2696, 689])
  expect([encoded(512), encoded(1024, { tiling: true })]).toEqual([424, 425])
  expect([decoded(4, 512), decoded(4, 512, { slicing: true })]).toEqual([2684, 668])
  // Four tiles of 336 pixels for 512², nine of 256 would decode 17% more.
  const within = (side: number): unknown => tilingWithin(host, model, [1, 4, side / 8, side / 8], { bindingBytes: 2 ** 27 }).tiling
  expect([within(512), within(1024)]).toEqual([{ size: 336 }, { size: 336 }])
})

test('tiles are as small as their number along an axis allows, and each size is clearly less than the one before', () => {
  expect(tileSides(64, 64, 0.25)).toEqual([42, 29, 21, 17, 14, 10, 7, 6, 5, 3, 2, 1])
  // Of 128 latents by 64: two tiles, of which the shorter axis has one.
  expect(tileSides(64, 128, 0.25).slice(0, 3)).toEqual([85, 57, 42])
  for (const [length, overlap] of [[64, 0.25], [100, 0.125], [7, 0.5]] as const) {
    const tiles = (side: number): number => Math.ceil(length / (side - Math.floor(side * overlap)))
    for (const side of tileSides(length, length, overlap)) expect(tiles(side - 1)).toBeGreaterThan(tiles(side))
  }
})

/** Packs operands into textures, as the planner does for software adapters: they are no bindings of buffers. */
class Packing extends FakeHost {
  override plan(...tensors: readonly Tensor[]): Plan {
    const plan = super.plan(...tensors)
    return { ...plan, buffers: [...plan.buffers, { kind: 'texture', rows: 2 ** 14, bytes: 2 ** 40 }] }
  }
}

test('a tensor that just fits a binding is no reason for tiles, though its packed form in a texture is larger', () => {
  const host = new Packing()
  const bindingBytes = 4 * 16 * 128 * 128 // The decoder's largest tensor has 16 channels of all pixels.
  expect(tilingWithin(host, stable(host, 16), [1, 4, 16, 16], { bindingBytes }).tiling).toBe(false)
})

test('tiles are chosen by the memory there is, and take no more', () => {
  const host = new FakeHost()
  const model = stable(host, 16)
  const shape = [1, 4, 64, 48] as const
  const whole = tilingWithin(host, model, shape, {})
  expect(whole).toEqual({ tiling: false, peakBytes: host.plan(model.decode(uploaded(host, shape))).peakBytes })
  for (const share of [0.99, 0.5]) {
    const { tiling, peakBytes } = tilingWithin(host, model, shape, { peakBytes: share * whole.peakBytes })
    expect(tiling).not.toBe(false)
    expect(peakBytes).toBeLessThanOrEqual(share * whole.peakBytes)
    expect(host.plan(model.decode(uploaded(host, shape), { tiling })).peakBytes).toBeLessThanOrEqual(peakBytes)
  }
  // The decoder's largest tensor has 16 channels of all pixels.
  const largest = 4 * 16 * 512 * 384
  expect(tilingWithin(host, model, shape, { bindingBytes: largest }).tiling).toBe(false)
  expect(tilingWithin(host, model, shape, { bindingBytes: largest - 1 }).tiling).toEqual({ size: 504 })
  expect(() => tilingWithin(host, model, shape, { peakBytes: 2 ** 18 })).toThrow(OutOfMemoryError)
  expect(() => tilingWithin(host, model, shape, { peakBytes: 0 })).toThrow('expected peakBytes to be a positive')
})
