import { fileURLToPath } from 'node:url'
import { CheckpointError, ConfigError, Device } from '@antipode/core'
import { encodeSafetensors, type SafetensorsEntry } from '@antipode/core/io'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, waveParameter, waves } from '@antipode/core/testing'
import { CLIPVisionModelWithProjection } from '@antipode/models'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadPipeline, type Pipeline, type StableDiffusionXLOptions } from './index.ts'
import { expectNear } from './testing/index.ts'
import golden from './testing/extras.golden.json' with { type: 'json' }

let device: Device
let pipes: Readonly<Record<'sd' | 'sdxl', Pipeline<StableDiffusionXLOptions>>>
beforeAll(async () => {
  device = await Device.request()
  const open = (name: string): Promise<Pipeline<StableDiffusionXLOptions>> =>
    loadPipeline(device, fileURLToPath(new URL(`../test/${name}`, import.meta.url)), { dtype: 'f32' })
  pipes = { sd: await open('sd'), sdxl: await open('sdxl') }
})
afterAll(async () => {
  for (const pipe of Object.values(pipes)) pipe[Symbol.dispose]()
  expect(device.memory().tensors).toBe(0)
  await device[Symbol.asyncDispose]()
})

const settings = { steps: 2, guidanceScale: 4, height: 16, width: 16, seed: 3 } as const

async function drawn(pipe: Pipeline<StableDiffusionXLOptions>, options: StableDiffusionXLOptions): Promise<Float32Array> {
  const { latents } = await pipe({ ...settings, ...options, output: 'latents' })
  try {
    return await latents.data() as Float32Array // of real numbers
  } finally {
    latents.dispose()
  }
}

/** A file of rows by formula. */
const wordFile = async (rows: Readonly<Record<string, readonly [name: string, count: number, width: number]>>): Promise<Uint8Array<ArrayBuffer>> =>
  encodeSafetensors(await Promise.all(Object.entries(rows).map(async ([key, [name, ...shape]]): Promise<SafetensorsEntry> => ({
    name: key, dtype: 'F32', shape, data: await waves(new FakeHost(), name, shape, 0, 0.5).data(),
  }))))

test('a word of several vectors stands in a prompt as it does for diffusers, until it is removed', async () => {
  const { prompt, sd, sdxl } = golden.textualInversion
  const options = { prompt, negativePrompt: 'blurry' }
  const l = await wordFile({ '<toy>': ['toy.l', 3, 16] })
  const both = await wordFile({ clip_l: ['toy.l', 2, 16], clip_g: ['toy.g', 2, 8] })
  await pipes.sd.textualInversions.load(undefined, l)
  await pipes.sdxl.textualInversions.load('<toy>', both)
  expect(pipes.sd.textualInversions.names).toEqual(['<toy>'])
  expectNear(await drawn(pipes.sd, options), sd)
  expectNear(await drawn(pipes.sdxl, options), sdxl)

  await expect(pipes.sd.textualInversions.load('<TOY>', l)).rejects.toThrow(ConfigError)
  await expect(pipes.sd.textualInversions.load('<b>', both)).rejects.toThrow(CheckpointError)
  await expect(pipes.sdxl.textualInversions.load('<b>', l)).rejects.toThrow('expected vectors of 16 and 8 numbers, as the text encoders have, got 16')
  for (const pipe of Object.values(pipes)) pipe.textualInversions.remove('<toy>')
  expect(() => { pipes.sd.textualInversions.remove('<toy>') }).toThrow('there is none')
})

test('a part of an image around its mask is drawn and put back as diffusers does it', async () => {
  const { width, height, cases } = golden.maskCrop
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37 + (i * i) % 101) % 256)
  // Of the other the pure test holds all but the drawing.
  for (const { rows: [top = 0, bottom = 0], columns: [left = 0, right = 0], padding, image: want } of cases.slice(1)) {
    const mask = { width, height, data: new Uint8Array(width * height) }
    for (let y = top; y < bottom; y++) mask.data.fill(255, y * width + left, y * width + right)
    const options = { prompt: 'a photo of the cat', image: { width, height, data }, mask, maskPadding: padding, strength: 0.8 }
    const { images: [made] } = await pipes.sd({ ...settings, ...options, steps: 4 })
    const rgb = made!.data.filter((_, i) => i % 4 < 3)
    // Both are float32 runs, rounded to bytes.
    expect(Math.max(...rgb.map((v, i) => Math.abs(v - want[i]!)))).toBeLessThanOrEqual(1)
  }
  await expect(pipes.sd({ ...settings, prompt: 'x', maskPadding: 2 })).rejects.toThrow('expected image to be pixels of one picture beside maskPadding, got none')
})

/** A file of parameters by formula. */
const parameterFile = async (shapes: Readonly<Record<string, readonly number[]>>, embeds = /^$/): Promise<Uint8Array<ArrayBuffer>> =>
  encodeSafetensors(await Promise.all(Object.entries(shapes).map(async ([name, shape]): Promise<SafetensorsEntry> => {
    const host = new FakeHost()
    const t = embeds.test(name) ? waves(host, name, shape, 0, 0.5) : waveParameter(host, name, shape)
    return { name, dtype: 'F32', shape, data: await t.data() }
  })))

test('an image is a prompt by an IP-Adapter as it is for diffusers, until it is taken off', async () => {
  const { config, scale, adapters } = golden.ipAdapter
  const tower = new CLIPVisionModelWithProjection(placeholders(new FakeHost()), config)
  const shapes = Object.fromEntries(Array.from(tower.namedParameters(), ([name, { shape }]) => [name, shape]))
  const json = { architectures: ['CLIPVisionModelWithProjection'], ...config }
  const encoder = new Map([
    ['config.json', new TextEncoder().encode(JSON.stringify(json))],
    ['model.safetensors', await parameterFile(shapes, /position_embedding\.weight$|class_embedding$/)],
  ])
  const image = { width: 8, height: 8, data: Uint8Array.from({ length: 192 }, (_, i) => (i * 37 + (i * i) % 101) % 256) }
  const options = { prompt: 'a photo of the cat', negativePrompt: 'blurry', ipAdapter: { image, scale } }
  await expect(pipes.sd({ ...settings, ...options })).rejects.toThrow('expected an IP-Adapter beside ipAdapter, got none')
  for (const name of ['sd', 'sdxl'] as const) {
    const file = await parameterFile(adapters[name].shapes)
    await pipes[name].ipAdapter.load(file, encoder)
    expectNear(await drawn(pipes[name], options), adapters[name].latents)
    const other = name === 'sd' ? pipes.sdxl : pipes.sd
    await expect(other.ipAdapter.load(file, encoder)).rejects.toThrow('got one of 4 for width')
    pipes[name].ipAdapter.remove()
  }
  await expect(pipes.sd.ipAdapter.load(await parameterFile({ 'image_proj.latents': [1, 2] }), encoder))
    .rejects.toThrow('got an IP-Adapter Plus, which looks at all patches of an image')
})
