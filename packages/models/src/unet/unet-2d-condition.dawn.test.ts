import { afterAll, beforeAll, expect, test } from 'vitest'
import { Device, evaluate, gradients, randn, type Tensor, tensor } from '@antipode/core'
import { Initialiser } from '@antipode/core/nn'
import golden from './unet-sd15-tiny.golden.json' with { type: 'json' }
import { type UNet2DConfig, UNet2DConditionModel } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const config = golden.config as UNet2DConfig

/** The numbers that the golden run was given under a name. */
function waves(name: string, shape: readonly number[], base: number, scale: number): Tensor {
  const hash = [...name].reduce((h, c) => (h * 31 + c.charCodeAt(0)) % 100003, 0)
  const n = shape.reduce((a, b) => a * b, 1)
  return tensor(device, Float32Array.from({ length: n }, (_, i) => base + scale * Math.sin(0.7310585 * i + 0.01 * hash)), shape)
}

function parameter(name: string, { shape, size }: Tensor): Tensor {
  if (shape.length > 1) return waves(name, shape, 0, 0.7 * Math.sqrt(2 / (size / (shape[0] ?? 1))))
  return name.endsWith('.weight') ? waves(name, shape, 1, 0.1) : waves(name, shape, 0, 0.05)
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0)
const l1 = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + Math.abs(b), 0)

test('a small Stable Diffusion UNet has the output, loss and gradients of diffusers', async () => {
  using model = new UNet2DConditionModel(new Initialiser(device, { seed: 0, placeholders: true }), config)
  expect(model.parameterCount).toBe(golden.params)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, parameter(name, t)])))
  using sample = waves('input.sample', golden.inputs.sample, 0, 1)
  using context = waves('input.ctx', golden.inputs.ctx, 0, 1)
  using target = waves('target', golden.output.shape, 0, 1)
  using timesteps = tensor(device, golden.inputs.t)
  using out = model.forward(sample, timesteps, { context })
  using loss = out.sub(target).square().mean()
  const params = model.state()
  const names = Object.keys(golden.paramGrads) as (keyof typeof golden.paramGrads)[]
  const grads = gradients(loss, [sample, context, ...names.map((n) => params.get(n) as Tensor)])
  await evaluate(out, loss, ...grads)

  // float32 on a CPU is off by f32MaxAbsDev = 5.8e-5 for outputs of 0.12 on average; the same again for sums in another order.
  const tolerance = 2 * golden.output.f32MaxAbsDev
  const values = await out.data()
  golden.output.first8.forEach((want, i) => { expect(Math.abs((values[i] ?? Number.NaN) - want)).toBeLessThan(tolerance) })
  expect(Math.abs(l1(values) - golden.output.absSum) / values.length).toBeLessThan(tolerance)
  expect(Math.abs(sum(values) - golden.output.sum) / values.length).toBeLessThan(tolerance)
  expect(Math.abs(await loss.item() - golden.loss)).toBeLessThan(tolerance)

  const wanted = [golden.inputGrads.sample, golden.inputGrads.ctx, ...names.map((n) => golden.paramGrads[n])]
  for (const [k, want] of wanted.entries()) {
    const got = await grads[k]!.data()
    const name = ['sample', 'ctx', ...names][k]
    // Against the mean size of its tensor's elements, float32 puts the output off by up to 5e-4 (f32MaxAbsDev on 0.12).
    const mean = want.l1 / got.length
    expect(Math.abs(l1(got) / got.length - mean), `${name}`).toBeLessThan(5e-4 * mean)
    // Single elements less surely: rounding alone puts those of the sample off by 2e-5 to 7e-4, as an input one ulp larger shows.
    want.first4.forEach((v, i) => { expect(Math.abs((got[i] ?? Number.NaN) - v), `${name}[${i}]`).toBeLessThan(1.5e-3 * (Math.abs(v) + mean)) })
  }
  for (const g of grads) g.dispose()
})

test('a model in f16 takes f32 and gives f32, close to its f32 twin', async () => {
  const small: UNet2DConfig = { ...config, block_out_channels: [16], down_block_types: ['CrossAttnDownBlock2D'], up_block_types: ['UpBlock2D'] }
  using sample = randn(device, [1, 4, 8, 8], { seed: 1 })
  using context = randn(device, [1, 3, 24], { seed: 2 })
  const outputs: Float32Array[] = []
  for (const dtype of ['f32', 'f16'] as const) {
    using model = new UNet2DConditionModel(new Initialiser(device, { seed: 3, dtype }), small)
    using out = model.forward(sample, 500, { context })
    expect(out.dtype).toBe('f32')
    outputs.push(await out.data() as Float32Array)
  }
  const [full, half] = outputs as [Float32Array, Float32Array]
  const error = Math.max(...full.map((v, i) => Math.abs(v - (half[i] ?? Number.NaN))))
  // Some thirty layers, each rounded to 2^-11 of values of about 1.
  expect(error).toBeLessThan(0.01)
  expect(error).toBeGreaterThan(0)
})
