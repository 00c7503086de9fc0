import { randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret, waves } from '@antipode/core/testing'
import { AutoencoderKL } from '@antipode/models'
import { expect, test } from 'vitest'
import { autoencoderLoss } from './index.ts'

const host = new FakeHost()
const [batch, side] = [2, 4]
const vae = new AutoencoderKL(randomParameters(host, { seed: 1 }), {
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'], up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  block_out_channels: [2, 2], norm_num_groups: 1, latent_channels: 2, sample_size: side, mid_block_add_attention: false,
})
const images = waves(host, 'images', [batch, 3, side, side], 0, 1)
const noise = waves(host, 'noise', [batch, 2, side / 2, side / 2], 0, 1)

test('errors are means over pixels, over both kinds of neighbours, and over latents', () => {
  const latents = vae.encode(images)
  const { loss, metrics: { pixels, edges, kl } } = autoencoderLoss(vae, images, noise, { kl: 0.5, edges: 2 })
  const [made, wanted, mean, logVariance, ...got] = interpret(
    [vae.decode(latents.sample(noise)), images, latents.mean, latents.logVariance, loss, pixels!, edges!, kl!],
  ) as Float64Array[]
  const error = made!.map((v, i) => v - wanted![i]!)
  const at = (plane: number, y: number, x: number): number => error[(plane * side + y) * side + x]!
  const planes = [...Array(3 * batch).keys()]
  const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  const across = planes.flatMap((p) => [0, 1, 2, 3].flatMap((y) => [0, 1, 2].map((x) => Math.abs(at(p, y, x + 1) - at(p, y, x)))))
  const down = planes.flatMap((p) => [0, 1, 2].flatMap((y) => [0, 1, 2, 3].map((x) => Math.abs(at(p, y + 1, x) - at(p, y, x)))))
  const want = {
    pixels: average([...error].map(Math.abs)),
    edges: average(across) + average(down),
    kl: average([...mean!].map((m, i) => 0.5 * (m * m + Math.exp(logVariance![i]!) - 1 - logVariance![i]!))),
  }
  const total = want.pixels + 2 * want.edges + 0.5 * want.kl
  for (const [i, value] of [total, want.pixels, want.edges, want.kl].entries()) expect(got[i]![0]).toBeCloseTo(value, 12)
})

test('a weight that is none is refused', () => {
  expect(() => autoencoderLoss(vae, images, noise, { kl: -1 })).toThrow('autoencoderLoss: expected kl')
  expect(() => autoencoderLoss(vae, images, noise, { edges: NaN })).toThrow('autoencoderLoss: expected edges')
})
