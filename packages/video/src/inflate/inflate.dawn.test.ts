import { ConfigError, constant, Device, evaluate, randn, ShapeError, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora, type Module, placeholders, setAdapter } from '@antipode/core/nn'
import { rng } from '@antipode/core/random'
import { UNet2DConditionModel, wrappersOf } from '@antipode/models'
import { digitsUNet } from '@antipode/digits'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { framesToBatch, TemporalAttention, TemporalConv } from '../temporal/index.ts'
import { inflate, type TemporalBlock, type TemporalSite } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i]!)))
const conv: TemporalBlock = (init, { channels }) => new TemporalConv(init, { channels, groups: 8 })
const attention: TemporalBlock = (init, { channels, endsPair }) =>
  endsPair ? new TemporalAttention(init, { channels, heads: channels / 16, groups: 8 }) : undefined
const [clips, frames, plane] = [2, 4, 256]
const labels = (): Tensor => constant(device, [3, 8], [2], { dtype: 'i32' })
const times = (): Tensor => constant(device, [20, 700])

/** Frames of clips `[2, 1, 4, 16, 16]` in another order: frame f of the result is frame `order[f]`. */
function reordered(values: ArrayLike<number>, order: readonly number[]): Float32Array {
  return Float32Array.from({ length: values.length }, (_, i) => {
    const [clip, frame] = [Math.floor(i / (frames * plane)), Math.floor(i / plane) % frames]
    return values[(clip * frames + order[frame]!) * plane + (i % plane)]!
  })
}

/** Moves the parameters, the zeros too, as training does. */
async function move(layers: Module): Promise<void> {
  const random = rng(3)
  await layers.load(new Map([...layers.state()].map(([name, p]) => [
    name, tensor(device, Float32Array.from({ length: p.size }, () => 0.2 * random.normal()), p.shape),
  ])))
}

describe.each([['temporal convolutions', conv], ['temporal attention', attention]] as const)('a digits model inflated by %s', (_, block) => {
  test('makes of every frame what the image model makes of it, with the timestep and class of its clip', async () => {
    using video = inflate(digitsUNet(device, 'digits-16', { seed: 1 }), block)
    using x = randn(device, [clips, 1, frames, 16, 16], { seed: 2 })
    await evaluate(x)
    using got = video.forward(x, times(), { classLabels: labels() })
    expect(got.shape).toEqual(x.shape)
    using images = framesToBatch(x)
    using want = video.unet.forward(images, constant(device, [20, 20, 20, 20, 700, 700, 700, 700]), {
      classLabels: constant(device, [3, 3, 3, 3, 8, 8, 8, 8], [8], { dtype: 'i32' }),
    })
    await evaluate(got, want)
    // One channel, so clips of frames and a batch of images are laid out alike.
    expect(await got.data()).toEqual(await want.data())
    // The clips differ in what they are told, so a mix-up of rows could not pass.
    using swapped = video.forward(x, constant(device, [700, 20]), { classLabels: labels() })
    expect(worst(await swapped.data(), await got.data())).toBeGreaterThan(1e-3)
  })

  test('does with frames in another order the same in that order, until its blocks are moved', async () => {
    using video = inflate(digitsUNet(device, 'digits-16', { seed: 1 }), block)
    using x = randn(device, [clips, 1, frames, 16, 16], { seed: 2 })
    await evaluate(x)
    const order = [2, 0, 3, 1]
    using shuffled = tensor(device, reordered(await x.data(), order), x.shape)
    const difference = async (): Promise<number> => {
      using a = video.forward(x, times(), { classLabels: labels() })
      using b = video.forward(shuffled, times(), { classLabels: labels() })
      await evaluate(a, b)
      return worst(reordered(await a.data(), order), await b.data())
    }
    expect(await difference()).toBeLessThan(1e-6)
    await move(video.temporal)
    expect(await difference()).toBeGreaterThan(1e-2)
  })

  test('takes any number of frames, one number for all timesteps, and no class', async () => {
    using video = inflate(digitsUNet(device, 'digits-16', { seed: 1 }), block)
    await move(video.temporal)
    using x = randn(device, [1, 1, 1, 16, 16], { seed: 2 })
    await evaluate(x)
    using a = video.forward(x, 500)
    using b = video.forward(x, constant(device, [500]), { classLabels: constant(device, [10], [1], { dtype: 'i32' }) })
    await evaluate(a, b)
    expect(await a.data()).toEqual(await b.data())
  })
})

describe('inflate', () => {
  test('offers every resnet and attention, with the channels of its output', () => {
    const sites: TemporalSite[] = []
    const init = placeholders(device)
    const unet = new UNet2DConditionModel(init, {
      block_out_channels: [16, 32], layers_per_block: 1, norm_num_groups: 8, cross_attention_dim: 8, attention_head_dim: 2,
      down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
    })
    using video = inflate(unet, (init, site) => {
      sites.push(site)
      return site.after === 'attention' ? new TemporalAttention(init, { channels: site.channels, heads: 2, groups: 8 }) : conv(init, site)
    }, { init })
    const of = (name: string): TemporalSite | undefined => sites.find((site) => site.name === name)
    expect(of('down_blocks.0.resnets.0')).toEqual({ name: 'down_blocks.0.resnets.0', after: 'resnet', endsPair: false, channels: 16 })
    expect(of('down_blocks.0.attentions.0')).toMatchObject({ after: 'attention', endsPair: true, channels: 16 })
    expect(of('down_blocks.1.resnets.0')).toMatchObject({ endsPair: true, channels: 32 })
    expect(of('mid_block.resnets.0')).toMatchObject({ endsPair: false })
    expect(of('mid_block.resnets.1')).toMatchObject({ endsPair: true, channels: 32 })
    expect(of('up_blocks.1.attentions.1')).toMatchObject({ endsPair: true, channels: 16 })
    expect(sites.length).toBe(12) // (1 + 1) + 1 down, 2 + 1 in the middle, 2 + (2 + 2) up
    // Every site is reached when the graph is built.
    const reached: string[] = []
    const wrappers = wrappersOf(unet, (name) => (of(name) ? (run, inputs) => {
      const h = run(...inputs)
      reached.push(name)
      expect(h.shape[1]).toBe(of(name)?.channels)
      return h
    } : undefined))
    unet.forward(randn(device, [1, 4, 4, 4], { seed: 1 }), 5, { context: randn(device, [1, 3, 8], { seed: 2 }) }, { wrappers })
    expect(reached.sort()).toEqual(sites.map(({ name }) => name).sort())
    expect(video.state().has('temporal.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight')).toBe(true)
    expect(video.state().has('temporal.down_blocks.1.resnets.0.conv1.2.weight')).toBe(true)
    expect(video.state().get('unet.conv_in.weight')).toBe(unet.state().get('conv_in.weight'))
    expect(video.temporal.parameterCount + unet.parameterCount).toBe(video.parameterCount)
  })

  test('copies with other parameters or adapters carry the temporal blocks', async () => {
    using video = inflate(digitsUNet(device, 'digits-16', { seed: 1 }), attention)
    using x = randn(device, [1, 1, 2, 16, 16], { seed: 2 })
    await evaluate(x)
    using before = video.forward(x, 300)
    await evaluate(before)
    const names = [...video.temporal.state().keys()].filter((name) => name.endsWith('proj_out.bias'))
    using bias = tensor(device, new Float32Array(16).fill(1))
    const moved = video.withParameters(new Map([[`temporal.${names.find((name) => name.startsWith('down_blocks.0'))}`, bias]]))
    using after = moved.forward(x, 300)
    await evaluate(after)
    expect(worst(await after.data(), await before.data())).toBeGreaterThan(1e-3)

    addAdapter(video, 'motion', lora({ rank: 2, targets: /^temporal\..*(to_q|proj_out)$/ }))
    const adapter = adapterParameters(video, 'motion')
    const name = [...adapter.keys()].find((key) => key.includes('down_blocks.0') && key.endsWith('proj_out.lora_B.weight'))!
    const trained = new Map([...adapter].map(([key, t]) => [key, key === name ? randn(device, t.shape, { seed: 5 }) : t.add(0)]))
    await evaluate(...trained.values())
    setAdapter(video, 'motion', trained)
    using off = video.forward(x, 300)
    using on = video.with({ motion: 1 }).forward(x, 300)
    await evaluate(off, on)
    expect(await off.data()).toEqual(await before.data())
    expect(worst(await on.data(), await before.data())).toBeGreaterThan(1e-3)
  })

  test('a clip of images, timesteps of another count and a choice of nothing are refused', () => {
    const unet = digitsUNet(device, 'digits-16', { seed: 1 })
    expect(() => inflate(unet, () => undefined)).toThrow(ConfigError)
    using video = inflate(unet, conv)
    const x = randn(device, [2, 1, 4, 16, 16], { seed: 2 })
    expect(() => video.forward(randn(device, [8, 1, 16, 16], { seed: 2 }), 5)).toThrow(ShapeError)
    expect(() => video.forward(x, constant(device, [1, 2, 3]))).toThrow(/2 timesteps/)
    expect(() => video.forward(x, 5, { classLabels: constant(device, [1, 2, 3], [3], { dtype: 'i32' }) })).toThrow(ShapeError)
  })
})
