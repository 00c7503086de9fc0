import { afterAll, beforeAll, expect, test } from 'vitest'
import { Device, evaluate, gradients, randn, type Tensor, tensor, type Backend } from '@antipode/core'
import { placeholders, randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import golden from './unet-sd15-tiny.golden.json' with { type: 'json' }
import { type UNet2DConfig, UNet2DConditionModel } from './index.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const config = golden.config as UNet2DConfig

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0)
const l1 = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + Math.abs(b), 0)

/** Everything that the golden run gave, by name: out, loss, and the gradients of inputs and of some parameters. */
async function goldenRun(host: Backend): Promise<{ outputs: Map<string, Tensor>; dispose: () => void }> {
  const model = new UNet2DConditionModel(placeholders(host), config)
  expect(model.parameterCount).toBe(golden.params)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)])))
  const sample = waves(host, 'input.sample', golden.inputs.sample, 0, 1)
  const context = waves(host, 'input.ctx', golden.inputs.ctx, 0, 1)
  const target = waves(host, 'target', golden.output.shape, 0, 1)
  const timesteps = tensor(host, golden.inputs.t)
  const out = model.forward(sample, timesteps, { context })
  const loss = out.sub(target).square().mean()
  const params = model.state()
  const names = Object.keys(golden.paramGrads)
  const grads = gradients(loss, [sample, context, ...names.map((n) => params.get(n) as Tensor)])
  const outputs = new Map([['out', out], ['loss', loss], ...['sample', 'ctx', ...names].map((name, k): [string, Tensor] => [name, grads[k] as Tensor])])
  return { outputs, dispose: () => { for (const t of [...outputs.values(), sample, context, target, timesteps, model]) t.dispose() } }
}

const close = (got: number | undefined, want: number, tolerance: number, name: string): void => {
  expect(Math.abs((got ?? Number.NaN) - want), name).toBeLessThan(tolerance)
}

/** Compares with diffusers: the output within a tolerance, gradients relative to their tensor's mean size. */
function expectGolden(values: ReadonlyMap<string, ArrayLike<number>>, { output, l1: ofMean, element }: Record<'output' | 'l1' | 'element', number>): void {
  const out = values.get('out') ?? []
  golden.output.first8.forEach((want, i) => { close(out[i], want, output, `out[${i}]`) })
  close(l1(out) / out.length, golden.output.absSum / out.length, output, 'mean size of the output')
  close(sum(out) / out.length, golden.output.sum / out.length, output, 'mean of the output')
  close(values.get('loss')?.[0], golden.loss, output, 'loss')
  for (const [name, want] of Object.entries({ ...golden.inputGrads, ...golden.paramGrads })) {
    const got = values.get(name) ?? []
    const mean = want.l1 / got.length
    close(l1(got) / got.length, mean, ofMean * mean, name)
    want.first4.forEach((v, i) => { close(got[i], v, element * (Math.abs(v) + mean), `${name}[${i}]`) })
  }
}

test('in float64, a small Stable Diffusion UNet has the output and loss of diffusers to six digits', async () => {
  const { outputs } = await goldenRun(new FakeHost())
  // Without gradients, which take half a minute so.
  const [out, loss] = interpret(['out', 'loss'].map((name) => outputs.get(name) as Tensor)) as [Float64Array, Float64Array]
  // The waves of time are of angles up to 500, of which float32 makes 1e-5 more or less.
  golden.output.first8.forEach((want, i) => { close(out[i], want, 1e-6, `out[${i}]`) })
  close(l1(out) / out.length, golden.output.absSum / out.length, 1e-6, 'mean size of the output')
  close(loss[0], golden.loss, 1e-6, 'loss')
})

test('a small Stable Diffusion UNet has the output, loss and gradients of diffusers', async () => {
  const { outputs, dispose } = await goldenRun(device)
  await evaluate(...outputs.values())
  const values = new Map<string, ArrayLike<number>>()
  for (const [name, t] of outputs) values.set(name, await t.data())
  // float32 on a CPU is off by f32MaxAbsDev = 5.8e-5 for outputs of 0.12 on average, that is up to 5e-4 of their size; the same
  // again for sums in another order, in gradients as in outputs: an input two ulps larger moves the mean size of the time
  // embedding's by 8e-4, from 5.1e-4 above the truth to 2.9e-4 below. Single gradients are less sure: one ulp moves the
  // sample's by up to 7e-4.
  expectGolden(values, { output: 2 * golden.output.f32MaxAbsDev, l1: 1e-3, element: 1.5e-3 })
  dispose()
  expect(device.memory().tensors).toBe(0)
})

test('a model in f16 takes f32 and gives f32, close to its f32 twin', async () => {
  const small: UNet2DConfig = { ...config, block_out_channels: [16], down_block_types: ['CrossAttnDownBlock2D'], up_block_types: ['UpBlock2D'] }
  using sample = randn(device, [1, 4, 8, 8], { seed: 1 })
  using context = randn(device, [1, 3, 24], { seed: 2 })
  const outputs: Float32Array[] = []
  for (const dtype of ['f32', 'f16'] as const) {
    using model = new UNet2DConditionModel(randomParameters(device, { seed: 3, dtype }), small)
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
