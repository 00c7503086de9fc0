import { gradients, type Tensor, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { l1, near, sum } from '../testing/index.ts'
import golden from './autoencoder-kl.golden.json' with { type: 'json' }
import { AutoencoderKL, type AutoencoderKLConfig, DiagonalGaussian } from './index.ts'

const host = new FakeHost()

async function made(config: AutoencoderKLConfig): Promise<AutoencoderKL> {
  const model = new AutoencoderKL(placeholders(host), config)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)])))
  return model
}

test('in float64 images are those of diffusers, with loss and gradients', async () => {
  const { config, params, inputs, output, loss: wantLoss, inputGrads, paramGrads } = golden.decode
  const model = await made(config as AutoencoderKLConfig)
  expect(model.parameterCount).toBe(params)
  const z = waves(host, 'input.z', inputs.z, 0, 1)
  const out = model.decode(z)
  expect(out.shape).toEqual(output.shape)
  const loss = out.sub(waves(host, 'target', output.shape, 0, 1)).square().mean()
  const wanted: Record<string, { l1: number; first4: number[] }> = { z: inputGrads.z, ...paramGrads }
  const state = model.state()
  const leaves = Object.keys(wanted).map((name) => (name === 'z' ? z : state.get(name) as Tensor))
  const [values, lossValue, ...grads] = interpret([out, loss, ...gradients(loss, leaves)]) as [Float64Array, Float64Array, ...Float64Array[]]
  const scale = output.absSum / values.length
  output.first8.forEach((want, i) => { near(values[i], want, scale) })
  near(sum(values), output.sum, output.absSum)
  near(l1(values), output.absSum, output.absSum)
  near(lossValue[0], wantLoss, wantLoss)
  Object.values(wanted).forEach(({ l1: size, first4 }, k) => {
    const grad = grads[k]!
    near(l1(grad), size, size)
    first4.forEach((want, i) => { near(grad[i], want, size / grad.length) })
  })
})

test('moments are those of diffusers, for sides that no factor divides too', async () => {
  const { config, inputs, values } = golden.tiles
  const model = await made(config as AutoencoderKLConfig)
  const { mean, logVariance } = model.encode(waves(host, 'input.x', inputs.x, 0, 1))
  const [m, v] = interpret([mean, logVariance]) as [Float64Array, Float64Array]
  const want = values.encode_plain_moments
  expect([mean.shape, logVariance.shape]).toEqual([[1, 4, 18, 22], [1, 4, 18, 22]])
  want.first16.forEach((value, i) => { near(m[i], value, want.absMean) })
  near(sum(m) + sum(v), want.sum, want.absMean * (m.length + v.length))
  expect(model.scale).toBe(2)
  const [image] = interpret([model.decode(waves(host, 'input.z', inputs.z, 0, 1))]) as [Float64Array]
  values.decode_plain.first16.forEach((value, i) => { near(image[i], value, values.decode_plain.absMean) })
})

test('a sample is the mean and as many deviations as the noise says, and the logarithm of the variance is held', () => {
  const moments = waves(host, 'moments', [1, 2, 1, 2], 0, 50)
  const noise = waves(host, 'noise', [1, 1, 1, 2], 0, 1)
  const latents = new DiagonalGaussian(moments)
  const [m, n, got, log] = interpret([moments, noise, latents.sample(noise), latents.logVariance]) as [Float64Array, Float64Array, Float64Array, Float64Array]
  expect([...log]).toEqual([...m.slice(2)].map((x) => Math.min(20, Math.max(-30, x))))
  got.forEach((x, i) => { expect(x).toBeCloseTo(m[i]! + Math.exp(log[i]! / 2) * n[i]!, 9) })
  expect(() => new DiagonalGaussian(waves(host, 'odd', [1, 3, 1, 1], 0, 1))).toThrow('expected moments [B, 2·C, h, w], got [1,3,1,1]')
})

test('Stable Diffusion\'s autoencoder has the parameters of its checkpoint', () => {
  const model = new AutoencoderKL(placeholders(host), {
    block_out_channels: [128, 256, 512, 512], layers_per_block: 2, sample_size: 512,
    down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
    up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
  })
  expect([model.parameters().length, model.parameterCount, model.scale]).toEqual([248, 83_653_863, 8])
})

test.each<[object, string]>([
  [{ _class_name: 'AutoencoderTiny' }, '_class_name'],
  [{ act_fn: 'relu' }, 'act_fn'],
  [{ down_block_types: ['AttnDownEncoderBlock2D'] }, 'expected down_block_types to be a list'],
  [{ up_block_types: ['AttnUpDecoderBlock2D'] }, 'expected up_block_types to be a list'],
  [{ sample_size: [512] }, 'expected sample_size to be'],
  [{ block_out_channels: [64, 64] }, 'expected 2 entries in down_block_types'],
  [{ norm_num_groups: 48 }, 'expected norm_num_groups that divides block_out_channels, got 48 for 64'],
  [{ latents_mean: [1, 2] }, 'expected 4 numbers in latents_mean'],
  [{ chanels: 3 }, 'chanels'],
])('a configuration with %j is refused by name', (config, text) => {
  expect(() => new AutoencoderKL(placeholders(host), config)).toThrow(text)
})

test('images and latents of other channels are refused', async () => {
  const model = await made(golden.tiles.config as AutoencoderKLConfig)
  expect(() => model.encode(waves(host, 'x', [1, 4, 8, 8], 0, 1))).toThrow('AutoencoderKL.encode: expected images [B,3,H,W], got [1,4,8,8]')
  expect(() => model.decode(waves(host, 'z', [4, 8, 8], 0, 1))).toThrow('AutoencoderKL.decode: expected latents [B,4,H,W], got [4,8,8]')
})

test('the divergence of latents from unit noise is that of each, summed', () => {
  const host = new FakeHost()
  const variances = [1, 4, 0.25, 1]
  const moments = tensor(host, [0, 0, 0, 3, ...variances.map(Math.log)], [1, 8, 1, 1])
  const [kl] = interpret([new DiagonalGaussian(moments).kl()])
  const want = variances.reduce((sum, v, i) => sum + 0.5 * ((i === 3 ? 9 : 0) + v - 1 - Math.log(v)), 0)
  expect([...kl!]).toHaveLength(1)
  expect(kl![0]).toBeCloseTo(want, 6) // moments are f32
})
