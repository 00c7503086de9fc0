import { readFile } from 'node:fs/promises'
import { type Device, type Tensor } from '@antipode/core'
import {
  DIGIT_CLASSES, digitsBase, digitsDenoiser, digitsLoraTargets, labelsOf, loadDigits, pixelLimit, schedule,
  tensorLabellingReward, unconditional,
} from '@antipode/digits'
import { loadModel, type UNet2DConditionModel } from '@antipode/models'
import { digitsModel } from '../../train-settings/index.ts'
import type { OnlineTask } from './task.ts'

/** Digits of the model that comes with @antipode/digits, judged by how near they are to clean ones. */
export async function digitsTask(device: Device): Promise<OnlineTask<Tensor>> {
  const { weights } = digitsBase[digitsModel] as { weights: URL } // it is there
  const bytes = new Uint8Array(await readFile(weights))
  const { size, splits: { labeller } } = await loadDigits({ size: 16 })
  const reward = await tensorLabellingReward(device, labeller)
  const unet = await loadModel(device, bytes, { dtype: 'f32' }) as UNet2DConditionModel // it is one
  return {
    unet, targets: digitsLoraTargets, schedule, prompts: Array.from({ length: DIGIT_CLASSES }, (_, i) => `${i}`),
    digest: digitsModel,
    denoiser: (adapters) => digitsDenoiser(unet.with(adapters)),
    shape: (count) => [count, 1, size, size],
    condition: (digits) => labelsOf(device, digits.map((digit) => digit % DIGIT_CLASSES)),
    unconditional,
    reward: (samples, labels) => reward(samples.clamp(-1, 1), labels),
    x0: (x0) => x0.clamp(-pixelLimit, pixelLimit),
    pictures: (samples) => samples.mul(0.5).add(0.5).clamp(0, 1),
    [Symbol.dispose]: () => {
      reward[Symbol.dispose]()
      unet.dispose()
    },
  }
}
