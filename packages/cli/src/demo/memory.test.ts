import { gradients, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { digitsLoraTargets, digitsUNet, labelsOf, schedule } from '@antipode/digits'
import { diffusionDpo, drawNoise, offsets } from '@antipode/npo'
import { expect, test } from 'vitest'

test('checkpoints keep less than two fifths of what a DPO step keeps for its backward pass', () => {
  const host = new FakeHost()
  const unet = digitsUNet(host, 'digits-16', { seed: 0 })
  addAdapter(unet, 'eta', lora({ rank: 8, targets: digitsLoraTargets }))
  const images = (): Tensor => tensor(host, new Float32Array(48 * 256), [48, 1, 16, 16])
  const batch = {
    ...drawNoise(host, schedule, [48, 1, 16, 16], { seed: 0, step: 0 }),
    chosen: images(), rejected: images(), condition: labelsOf(host, new Int32Array(48)),
  }
  const bytes = (checkpoint: boolean): { forward: number; step: number } => {
    const denoiser = (mix: Record<string, number>) => {
      const model = unet.with(offsets(mix))
      return (x: Tensor, t: Tensor, classLabels: Tensor): Tensor => model.forward(x, t, { classLabels }, { checkpoint })
    }
    const { loss } = diffusionDpo<Tensor>({ beta: 2000 }).evaluate({ model: denoiser({ eta: 1 }), reference: denoiser({}) }, batch)
    return {
      forward: host.plan(loss).peakBytes,
      step: host.plan(loss, ...gradients(loss, [...adapterParameters(unet, 'eta').values()])).peakBytes,
    }
  }
  const [plain, checkpointed] = [bytes(false), bytes(true)]
  expect(checkpointed.forward).toBe(plain.forward)
  // What a step needs beyond a forward pass alone is what it keeps.
  expect((checkpointed.step - plain.forward) / (plain.step - plain.forward)).toBeLessThan(0.4)
})
