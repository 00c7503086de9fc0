import { type Tensor, zeros } from '@antipode/core'
import { type AdapterWeights, addAdapter, lora, placeholders, standIn } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { UNet2DConditionModel } from '@antipode/models'
import { expect, test } from 'vitest'
import { denoiserOf } from './denoiser.ts'

const host = new FakeHost()
const unet = standIn(
  new UNet2DConditionModel(placeholders(host), {
    block_out_channels: [32, 64],
    down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
    layers_per_block: 1,
    cross_attention_dim: 16,
  }),
)
for (const name of ['eta', 'delta']) addAdapter(unet, name, lora({ rank: 2, targets: /attn/ }))

/** Kernels of a step, by their op: of both branches, or of one. */
function kernels(positive: AdapterWeights, negative?: AdapterWeights): string[] {
  const context = (): Tensor => zeros(host, [1, 77, 16])
  const conditions = { positive: { context: context() }, negative: negative && { context: context() } }
  const guidance = {
    scale: 5, rescale: 0, guider: undefined, perturbed: undefined, predicts: 'epsilon' as const, positive, negative: negative ?? {},
  }
  const denoise = denoiserOf(unet, conditions, undefined, guidance)
  if (typeof denoise !== 'function') throw new TypeError('expected a plain denoiser')
  const prediction = denoise(zeros(host, [1, 4, 8, 8]), zeros(host, [1]), conditions.positive)
  return host.plan(prediction).dispatches.map(({ kernel }) => kernel.label.replace(/[/+].*/, ''))
}

test('branches that differ in adapters of attention share what lies before it: time, and the first convolutions', () => {
  const [eta, npo] = [{ eta: 1 }, { eta: 1, delta: 1 }]
  const [both, positive, negative] = [kernels(eta, npo), kernels(eta), kernels(npo)]
  const saved = (op: string): number => {
    const count = (labels: readonly string[]): number => labels.filter((label) => label === op).length
    return count(positive) + count(negative) - count(both)
  }
  // The first convolution, both of the first resnet, and the projection in front of the first attention.
  expect(saved('conv2d')).toBeGreaterThanOrEqual(4)
  // The time embedding, and what each resnet makes of it.
  expect(saved('matmul')).toBeGreaterThanOrEqual(3)
  expect(kernels(eta, eta).length).toBeLessThan(1.1 * positive.length) // one pass of twice the batch
})
