import { type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora, randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret, largestGap, noise, waves } from '@antipode/core/testing'
import { perturbedAttention, receivedAttention, UNet2DConditionModel, type Wrappers } from '@antipode/models'
import { blurredWhereAttended, classifierFree, type Guider, perturbed, selfAttentionGuidance } from '@antipode/npo'
import { expect, test } from 'vitest'
import type { PerturbedBranch } from '../request/index.ts'
import { denoiserOf } from './denoiser.ts'

const host = new FakeHost()
const unet = new UNet2DConditionModel(randomParameters(host, { seed: 1 }), {
  in_channels: 2, out_channels: 2, block_out_channels: [4, 4], norm_num_groups: 2, layers_per_block: 1, attention_head_dim: 2, cross_attention_dim: 6,
  down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
})
addAdapter(unet, 'early', lora({ rank: 1, targets: /attn2/ }))
for (const [name, t] of adapterParameters(unet, 'early')) t.write(noise(t.size, name.length))

const x = waves(host, 'image', [1, 2, 2, 4], 0, 1)
const timesteps = tensor(host, [7])
const [positive, negative] = ['positive', 'negative'].map((name) => ({ context: waves(host, name, [1, 3, 6], 0, 1) })) as [{ context: Tensor }, { context: Tensor }]
const predict = (condition: typeof positive, wrappers: Wrappers = new Map()): Tensor => unet.forward(x, timesteps, condition, { wrappers })

function guide(guider: Guider, how: PerturbedBranch): Tensor {
  const denoise = denoiserOf(unet, { positive, negative }, undefined, {
    scale: 1, rescale: 0, guider, perturbed: how, predicts: 'epsilon', positive: {}, negative: {},
  })
  if (typeof denoise === 'function') throw new TypeError('expected a guided denoiser')
  return denoise.call(x, timesteps, positive, { step: 0, steps: 1, sigma: 2, nextSigma: 0, state: {} }).prediction
}

test('a third branch is the UNet with wrappers, with other adapters, or on a blurred sample of the negative branch', () => {
  const [towards, away] = [predict(positive), predict(negative)]
  const guided = away.add(towards.sub(away).mul(5))
  const want = (worse: Tensor, from = towards): Tensor => guided.add(from.sub(worse).mul(3))
  const guider = perturbed(classifierFree({ scale: 5 }), { scale: 3 })
  const early = unet.with({ early: 1 }).forward(x, timesteps, positive)
  const blurred = blurredWhereAttended<typeof negative>({
    model: (at, t, condition) => unet.forward(at, t, condition), unconditional: (c) => c, attention: receivedAttention(unet), predicts: 'epsilon',
  })(x, timesteps, negative, { predictions: { positive: towards, negative: away }, point: { step: 0, steps: 1, sigma: 2, nextSigma: 0 } })
  // In one go, as all of them share the two predictions.
  const values = interpret([
    want(predict(positive, perturbedAttention(unet))), guide(guider, perturbedAttention),
    want(early), guide(guider, { early: 1 }),
    want(blurred, away), guide(selfAttentionGuidance(classifierFree({ scale: 5 }), { scale: 3 }), 'blurred'),
    guided,
  ])
  const plain = values.pop()!
  for (let k = 0; k < values.length; k += 2) {
    expect(largestGap(values[k]!, values[k + 1]!)).toBeLessThan(1e-9)
    expect(largestGap(values[k]!, plain)).toBeGreaterThan(1e-5)
  }
})
