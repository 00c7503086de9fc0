import { constant, Device, evaluate, gradients, type Tensor, tensor, type Backend } from '@antipode/core'
import { philoxNormal } from '@antipode/core/random'
import { FakeHost, gradientGap, interpret, relativeGap } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { digitsUNet } from './digits-unet.ts'

/** The loss of a denoiser on one image of one class at one time, with the parameters it depends on. */
function denoisingLoss(host: Backend, checkpoint = false): { loss: Tensor; params: Map<string, Tensor>; inputs: readonly Tensor[] } {
  const unet = digitsUNet(host, 'digits-16', { seed: 1 })
  const inputs = [2, 3].map((seed) => tensor(host, philoxNormal(256, { seed }), [1, 1, 16, 16])) as [Tensor, Tensor]
  const [x, noise] = inputs
  const prediction = unet.forward(x, constant(host, [310]), { classLabels: constant(host, [4], [1], { dtype: 'i32' }) }, { checkpoint })
  return { loss: prediction.sub(noise).square().mean(), params: unet.state(), inputs }
}

// One of each kind of layer: convolutions in and out, times and classes, norms, attention, skips.
const kinds = [
  'conv_in.weight', 'time_embedding.linear_1.weight', 'class_embedding.weight', 'down_blocks.0.resnets.0.norm1.weight',
  'down_blocks.0.downsamplers.0.conv.weight', 'mid_block.attentions.0.to_q.weight', 'up_blocks.0.resnets.1.conv1.weight', 'conv_out.bias',
]

test('the gradient of the whole UNet equals central differences in float64', () => {
  const { loss, params } = denoisingLoss(new FakeHost())
  const leaves = Object.fromEntries([...params].filter(([name]) => kinds.includes(name)))
  const gap = gradientGap(loss, leaves, { each: 1 })
  expect(gap.compared).toBe(kinds.length)
  // Differences of step 1e-5 are good to about 1e-10, beside gradients of 1e-3 and more.
  expect(gap.relative, JSON.stringify(gap)).toBeLessThan(1e-6)
})

test('layers computed again in the backward pass give the same loss and gradients', async () => {
  const device = await Device.request()
  const [plain = [], again = []] = await Promise.all([false, true].map(async (checkpoint) => {
    const { loss, params } = denoisingLoss(device, checkpoint)
    const outputs = [loss, ...gradients(loss, [...params.values()])]
    await evaluate(...outputs)
    return Promise.all(outputs.map((t) => t.data()))
  }))
  // A gradient that several layers add to is summed in another order.
  plain.forEach((values, k) => { expect(relativeGap(again[k] ?? [], values)).toBeLessThan(1e-5) })
  await device[Symbol.asyncDispose]()
})

test('the gradients of the whole UNet on the GPU are those in float64', async () => {
  const fake = denoisingLoss(new FakeHost())
  const truth = interpret([fake.loss, ...gradients(fake.loss, [...fake.params.values()])])
  const device = await Device.request()
  const { loss, params, inputs } = denoisingLoss(device)
  const outputs = [loss, ...gradients(loss, [...params.values()])]
  await evaluate(...outputs)
  const names = ['loss', ...params.keys()]
  const gaps = new Map<string, number>()
  for (const [k, t] of outputs.entries()) gaps.set(names[k] ?? '', relativeGap(await t.data(), truth[k] ?? []))
  expect(gaps.size).toBeGreaterThan(60)
  // A bias of the keys moves all scores of a query alike, so its gradient is 0, and what the GPU has for it is rounding: it is
  // held to 1e-9, as gaps are relative to 1e-6 at least.
  const nothing = 'mid_block.attentions.0.to_k.bias'
  expect(gaps.get(nothing)).toBeLessThan(1e-3)
  gaps.delete(nothing)
  // f32 rounds by 6e-8, and a gradient of the first layers has gone through some hundred layers of sums, there and back.
  expect(Math.max(...gaps.values()), JSON.stringify([...gaps])).toBeLessThan(1e-5)
  for (const t of [...outputs, ...params.values(), ...inputs]) t.dispose()
  expect(device.memory().tensors).toBe(0)
  await device[Symbol.asyncDispose]()
})
