import { fileURLToPath } from 'node:url'
import { CheckpointError, ConfigError, Device } from '@antipode/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectDrawn } from '../testing/index.ts'
import { decodePng, settingsOf } from '../images/index.ts'
import type { StableDiffusionComponents } from '../stable-diffusion/index.ts'
import { loadPipeline } from './index.ts'

let device: Device
beforeAll(async () => {
  device = await Device.request()
})
afterEach(() => {
  expect(device.memory().tensors).toBe(0)
})
afterAll(async () => {
  await device[Symbol.asyncDispose]()
})

const folder = (name: string): string => fileURLToPath(new URL(`../../test/${name}`, import.meta.url))

test.each(['sd', 'sdxl'] as const)('a pipeline that diffusers saved draws what it drew there: %s', async (name) => {
  await expectDrawn(device, name, folder(name))
})

test('weights of products stay in blocks where they fill them, and draw nearly the same', async () => {
  const options = { prompt: 'the cat', height: 16, width: 16, steps: 1, seed: 7, output: 'latents' } as const
  const drawn: Float32Array[] = []
  for (const dtype of ['f32', 'q8_0'] as const) {
    using pipe = await loadPipeline(device, folder('sd'), { dtype })
    const { unet, vae } = pipe.components
    const types = (model: typeof unet | typeof vae): Set<string> => new Set(model.parameters().map((t) => t.dtype))
    const usual = device.target.f16 ? 'f16' : 'f32'
    expect(types(unet)).toEqual(new Set(dtype === 'f32' ? ['f32'] : [usual, dtype]))
    // Its configuration says that f16 is too narrow.
    expect(types(vae)).toEqual(new Set(['f32']))
    const { latents } = await pipe(options)
    drawn.push((await latents.data()) as Float32Array)
    latents.dispose()
  }
  const [exact, rounded] = drawn as [Float32Array, Float32Array]
  const size = Math.hypot(...exact)
  expect(Math.hypot(...exact.map((v, i) => v - rounded[i]!)) / size).toBeLessThan(2e-2)
})

test('one model of a pipeline, and options that nobody knows, are refused, and nothing stays on the device', async () => {
  await expect(loadPipeline(device, folder('sd/vae'))).rejects.toThrow(CheckpointError)
  await expect(loadPipeline(device, folder('sd'), { dtpye: 'f32' } as object)).rejects.toThrow(ConfigError)
})

test('a load that is aborted anywhere leaves nothing on the device', async () => {
  for (const after of [0, 1, 40, 120]) {
    const controller = new AbortController()
    let read = 0
    const loading = loadPipeline(device, folder('sd'), {
      signal: controller.signal,
      onProgress: () => {
        if (read++ === after) controller.abort(new Error('enough'))
      },
    })
    await expect(loading).rejects.toThrow('enough')
    expect(device.memory().tensors).toBe(0)
  }
})

test('images are pixels that become PNG files with what they were drawn by, and start from pixels of any size', async () => {
  using pipe = await loadPipeline(device, folder('sd'), { dtype: 'f32' })
  const options = { prompt: ['the cat', 'the red'], negativePrompt: 'blurry', height: 16, width: 24, steps: 2, seed: 7 }
  const { images } = await pipe(options)
  expect(images.map(({ width, height, data }) => [width, height, data.length])).toEqual([
    [24, 16, 1536],
    [24, 16, 1536],
  ])
  const file = decodePng(images[1]!.png())
  expect(file.data).toEqual(images[1]!.data)
  expect(settingsOf(file.text)).toEqual({
    prompt: 'the red',
    negativePrompt: 'blurry',
    steps: 2,
    scheduler: 'ddim',
    guidanceScale: 7.5,
    seed: 7,
    row: 1,
    width: 24,
    height: 16,
  })
  // Painted over where the mask is light, and the same elsewhere but for what the autoencoder changes.
  const grey = { data: new Uint8Array(50 * 40).fill(90), width: 50, height: 40 }
  const {
    images: [again],
  } = await pipe({ prompt: 'the cat', image: images[0]!, strength: 0.5, steps: 4 })
  expect([again!.width, again!.height]).toEqual([24, 16])
  const {
    images: [painted],
  } = await pipe({ prompt: 'the cat', image: grey, mask: grey, steps: 2 })
  expect([painted!.width, painted!.height]).toEqual([48, 40])
})

test('what a run takes is known before it, and nothing is taken to know it', async () => {
  using pipe = await loadPipeline(device, folder('sd'), { dtype: 'f32' })
  const { tensors, live } = device.memory()
  const small = pipe.plan({ prompt: 'the cat', height: 16, width: 16 })
  expect(device.memory()).toMatchObject({ tensors, live })
  const { unet, vae } = pipe.components
  const { textEncoder } = pipe.components as StableDiffusionComponents // what the checkpoint is of
  expect(small.weights).toBe(live)
  expect(live).toBeGreaterThanOrEqual(4 * (unet.parameterCount + vae.parameterCount + textEncoder.parameterCount))
  expect(small.peak).toBe(live + Math.max(small.prompts.beside, small.step.beside, small.decode.beside))
  expect(small.choices).toEqual({ dtype: 'f32', branches: 'together', leaving: [], tiling: false })
  const large = pipe.plan({ prompt: 'the cat', height: 64, width: 64 })
  expect(large.step.beside).toBeGreaterThan(3 * small.step.beside)
  expect(large.decode.beside).toBeGreaterThan(8 * small.decode.beside)
  expect(large.prompts).toEqual(small.prompts)
  // Without guidance there is one branch.
  expect(pipe.plan({ prompt: 'the cat', height: 64, width: 64, guidanceScale: 1 }).step.beside).toBeLessThan(0.7 * large.step.beside)
})
