import { Device, type Tensor, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { AutoencoderTiny } from '@antipode/models'
import { torchCpu } from '@antipode/schedulers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Case, cases, optionsOf, pipelineOfCase, type Recorded } from './testing/index.ts'

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

/** Of two images with sizes of their own the reference mixes up the rows; a test of its own is about that. */
const own = cases.filter(({ name }) => !/batch2_negsize_quirk/.test(name))

/**
 * Holds a tensor to a recorded one within ten times what float32 costs the reference, or a hundred thousandth of the
 * largest size.
 */
function expectRecorded(
  values: Float32Array,
  { sum, absMean, mean, first8, first16, f32MaxAbsDev = 0 }: Recorded,
  what: string,
): void {
  const size = absMean ?? mean ?? 1
  const bound = Math.max(10 * f32MaxAbsDev, 1e-5 * Math.max(1, size))
  for (const [i, want] of (first8 ?? first16 ?? []).entries()) {
    expect(Math.abs(values[i]! - want), `${what}[${i}]: ${values[i]} for ${want}`).toBeLessThanOrEqual(bound)
  }
  expect(Math.abs(values.reduce((a, b) => a + b, 0) - sum) / values.length, `mean of ${what}`).toBeLessThanOrEqual(
    bound,
  )
  if (absMean !== undefined)
    expect(
      Math.abs(values.reduce((a, b) => a + Math.abs(b), 0) / values.length - absMean),
      `mean size of ${what}`,
    ).toBeLessThanOrEqual(bound)
}

/** Pixels as the reference has them, [B, H, W, 3]. */
function channelsLast(
  values: Float32Array,
  [batch = 1, channels = 1, height = 1, width = 1]: readonly number[],
): Float32Array {
  const area = height * width
  return Float32Array.from({ length: batch * channels * area }, (_, i) => {
    const [row, c] = [Math.floor(i / channels), i % channels]
    return values[(Math.floor(row / area) * channels + c) * area + (row % area)]!
  })
}

test.each(own.map((one): [string, Case] => [one.name, one]))(
  'equal to the reference at every step and in the picture: %s',
  async (_, one) => {
    using pipe = await pipelineOfCase(device, one)
    const { image, mask, ...options } = optionsOf(device, one)
    const given = { ...options, ...(image ? { image } : {}), ...(mask ? { mask } : {}) }
    let index = 0
    for await (const { latents } of pipe.stream(given)) {
      expectRecorded((await latents.data()) as Float32Array, one.latents[index++]!, `latents ${index}`)
    }
    expect(index).toBe(one.latents.length)
    if (one.output) {
      const { latents } = await pipe({ ...given, output: 'latents' })
      expectRecorded((await latents.data()) as Float32Array, one.output, 'output')
      latents.dispose()
    }
    if (one.image) {
      const { pixels } = await pipe({ ...given, output: 'pixels' })
      expectRecorded(channelsLast((await pixels.data()) as Float32Array, pixels.shape), one.image, 'image')
      pixels.dispose()
    }
    image?.dispose()
    mask?.dispose()
  },
)

test('of two images with sizes of their own, the reference gives the negative sizes to all of the first and the positive ones to all of the second', async () => {
  const one = cases.find(({ name }) => name === 'sdxl_batch2_negsize_quirk')!
  using pipe = await pipelineOfCase(device, one)
  const { prompt, negativePrompt, negativeOriginalSize, negativeTargetSize, negativeCropTopLeft, seed, ...shared } =
    optionsOf(device, one)
  const draw = torchCpu(seed as number)
  const noise = draw.draw(draw.begin(), 512).values
  const rows: Tensor[] = []
  const sizes = [
    { originalSize: negativeOriginalSize!, targetSize: negativeTargetSize!, cropTopLeft: negativeCropTopLeft! },
    {},
  ]
  for (const [i, own] of sizes.entries()) {
    using latents = tensor(device, noise.subarray(256 * i, 256 * (i + 1)), [1, 4, 8, 8])
    const row = {
      ...shared,
      ...own,
      prompt: (prompt as string[])[i]!,
      negativePrompt: (negativePrompt as string[])[i]!,
      latents,
      output: 'latents' as const,
    }
    rows.push((await pipe(row)).latents)
  }
  const values = await Promise.all(rows.map((row) => row.data()))
  expectRecorded(Float32Array.from(values.flatMap((row) => [...row])), one.latents.at(-1)!, 'latents')
  for (const row of rows) row.dispose()
})

test('a guidance of adapters that are off is that of the plain model, and needs one pass', async () => {
  const one = cases.find(({ name }) => name === 'npo_sd_pos_base_b1')!
  using pipe = await pipelineOfCase(device, one)
  const run = async (options: object): Promise<number[]> => {
    const { latents } = await pipe({ ...optionsOf(device, one), positive: {}, ...options, output: 'latents' })
    const values = [...(await latents.data())]
    latents.dispose()
    return values
  }
  expect(await run({ negative: { eta: 0, delta: 0 } })).toEqual(await run({ negative: {} }))
})

test('a stream that is left at any step leaves nothing on the device', async () => {
  const one = cases.find(({ name }) => name === 'sd_no_cfg')!
  using pipe = await pipelineOfCase(device, one)
  const before = device.memory().tensors
  for (const last of [0, 2]) {
    for await (const { index } of pipe.stream(optionsOf(device, one))) if (index === last) break
    expect(device.memory().tensors).toBe(before)
    // The same of a call whose user throws at a step.
    const shown: number[] = []
    const calling = pipe({
      ...optionsOf(device, one), preview: true,
      onStep: async ({ index, picture }) => {
        shown.push((await picture!()).length)
        if (index === last) throw new RangeError('enough')
      },
    })
    await expect(calling).rejects.toThrow('enough')
    expect(shown).toEqual(new Array(last + 1).fill(1))
    expect(device.memory().tensors).toBe(before)
  }
})

test.each<[object, string]>([
  [{ promt: 'x' }, 'promt'],
  [{ prompt: [] }, 'expected a prompt, got an empty list'],
  [{ height: 20 }, 'expected height to be a multiple of 8, got 20; ask for 24'],
  [{ guidanceScale: 0.5 }, 'guidanceScale'],
  [{ strength: 0.5 }, 'expected an image beside strength'],
  [{ seed: [1, 2] }, 'expected 1 seeds, one for each image, got 2'],
  [{ negative: { dpo: 1 } }, 'expected adapters of the pipeline (it has none), got "dpo"; load it first'],
  [{ clipSkip: 9 }, 'expected clipSkip below 4'],
  [{ preview: new AutoencoderTiny(placeholders(new FakeHost()), { latent_channels: 32 }) }, 'expected preview to decode latents of 4 channels, got an autoencoder of 32'],
  [{ negativePrompt: ['a', 'b'] }, 'expected negativePrompt to be one text or 1, as many as prompts, got 2'],
])('a request with %j is refused by name', async (wrong, text) => {
  const one = cases.find(({ name }) => name === 'sd_no_cfg')!
  using pipe = await pipelineOfCase(device, one)
  await expect(pipe({ ...optionsOf(device, one), ...wrong, output: 'latents' })).rejects.toThrow(text)
})
