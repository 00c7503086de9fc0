import { afterAll, beforeAll, expect, test } from 'vitest'
import { constant, Device, evaluate, gradients, randn, type Tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora } from '@antipode/core/nn'
import { adamw, clipGradNorm } from '@antipode/core/optim'
import { type Wrapper, wrappersOf } from '@antipode/models'
import { digitsLoraTargets, digitsUNet, NO_DIGIT } from './digits-unet.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const labels = (...values: number[]): Tensor => constant(device, values, [values.length], { dtype: 'i32' })
const values = async (t: Tensor): Promise<Float32Array> => {
  const out = await t.data() as Float32Array
  t.dispose()
  return out
}
const gap = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((v, i) => Math.abs(v - (b[i] ?? Number.NaN))))

test('the prediction has the shape of the image, and depends on class, time and image', async () => {
  using unet = digitsUNet(device, 'digits-16', { seed: 1 })
  using x = randn(device, [2, 1, 16, 16], { seed: 2 })
  const t = constant(device, [10, 900])
  const y = await values(unet.forward(x, t, { classLabels: labels(3, 4) }))
  expect(y.length).toBe(512)
  expect(y.every(Number.isFinite)).toBe(true)
  const [first, second] = [y.subarray(0, 256), y.subarray(256)]
  const other = await values(unet.forward(x, t, { classLabels: labels(5, 4) }))
  // Only the first image has another class, and images do not see each other.
  expect(gap(first, other.subarray(0, 256))).toBeGreaterThan(1e-3)
  expect(gap(second, other.subarray(256))).toBeLessThan(1e-6)
  expect(gap(first, (await values(unet.forward(x, 20, { classLabels: labels(3, 4) }))).subarray(0, 256))).toBeGreaterThan(1e-4)
})

test('a label of -1, the eleventh class and no labels at all are the same condition', async () => {
  using unet = digitsUNet(device, 'digits-16', { seed: 1 })
  using x = randn(device, [2, 1, 16, 16], { seed: 2 })
  const none = await values(unet.forward(x, 500))
  expect(gap(await values(unet.forward(x, 500, { classLabels: labels(-1, -1) })), none)).toBeLessThan(1e-6)
  expect(gap(await values(unet.forward(x, 500, { classLabels: labels(NO_DIGIT, NO_DIGIT) })), none)).toBeLessThan(1e-6)
  expect(gap(await values(unet.forward(x, 500, { classLabels: labels(0, 0) })), none)).toBeGreaterThan(1e-3)
})

test('the large model halves 28 pixels twice and comes back', async () => {
  using unet = digitsUNet(device, 'digits-28', { seed: 1 })
  using y = unet.forward(randn(device, [1, 1, 28, 28], { seed: 2 }), 10, { classLabels: labels(7) })
  expect(y.shape).toEqual([1, 1, 28, 28])
})

test('adapters go on attention and on the convolutions of resnets, and start as the identity', async () => {
  using unet = digitsUNet(device, 'digits-16', { seed: 1 })
  addAdapter(unet, 'dpo', lora({ rank: 4, targets: digitsLoraTargets, seed: 3 }))
  const layers = new Set([...adapterParameters(unet, 'dpo').keys()].map((name) => name.replace(/\.lora_[AB]\.weight$/, '')))
  // Four projections of one attention, and two convolutions of eight resnets.
  expect(layers.size).toBe(4 + 2 * 8)
  expect(layers).toContain('mid_block.attentions.0.to_out.0')
  expect(layers).toContain('up_blocks.1.resnets.1.conv2')
  using x = randn(device, [1, 1, 16, 16], { seed: 2 })
  expect(await values(unet.with({ dpo: 1 }).forward(x, 5))).toEqual(await values(unet.forward(x, 5)))
})

test('wrappers see every layer by name, and what they return goes on', async () => {
  using unet = digitsUNet(device, 'digits-16', { seed: 1 })
  using x = randn(device, [1, 1, 16, 16], { seed: 2 })
  const seen: string[] = []
  const around = (choose: (name: string) => Wrapper | undefined): Tensor => unet.forward(x, 5, {}, { wrappers: wrappersOf(unet, choose) })
  const same = await values(around((name) => (/(resnets|attentions)\.\d$/.test(name) ? (run, inputs) => { seen.push(name); return run(...inputs) } : undefined)))
  expect(same).toEqual(await values(unet.forward(x, 5)))
  expect(seen).toEqual([
    'down_blocks.0.resnets.0', 'down_blocks.1.resnets.0', 'mid_block.resnets.0', 'mid_block.attentions.0', 'mid_block.resnets.1',
    'up_blocks.0.resnets.0', 'up_blocks.0.resnets.1', 'up_blocks.1.resnets.0', 'up_blocks.1.resnets.1',
  ])
  const changed = await values(around((name) => (name === 'mid_block.attentions.0' ? (run, inputs) => run(...inputs).mul(0) : undefined)))
  expect(gap(changed, same)).toBeGreaterThan(1e-3)
})

test('twenty steps on eight images lower the loss to half', async () => {
  using unet = digitsUNet(device, 'digits-16', { seed: 1 })
  const params = unet.state()
  using optimizer = adamw({ lr: 3e-3 })
  const losses: number[] = []
  for (let step = 0; step < 20; step++) {
    const noise = randn(device, [8, 1, 16, 16], { seed: 4 })
    const image = randn(device, [8, 1, 4, 4], { seed: 5 }).reshape([8, 1, 4, 1, 4, 1]).expand([8, 1, 4, 4, 4, 4]).reshape([8, 1, 16, 16])
    const prediction = unet.forward(noise.mul(0.8).add(image.mul(0.6)), constant(device, [0, 1, 2, 3, 4, 5, 6, 7]), { classLabels: labels(0, 1, 2, 3, 4, 5, 6, 7) })
    using loss = prediction.sub(noise).square().mean()
    const grads = gradients(loss, [...params.values()])
    const updates = optimizer.update(params, grads, { gradScale: clipGradNorm(grads, 1).scale })
    await evaluate(loss, ...updates)
    for (const t of updates) t.dispose()
    losses.push(await loss.item())
  }
  expect(losses[19]).toBeLessThan(0.5 * (losses[0] ?? 0))
})

test('everything is given back', () => {
  expect(device.memory().tensors).toBe(0)
})
