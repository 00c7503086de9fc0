import { placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { AutoencoderKL, CLIPTextModel, UNet2DConditionModel } from '@antipode/models'
import { fromConfig } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { smallStableDiffusion } from './index.ts'

test('the small models fit each other, and a few megabytes', () => {
  const { vae, text_encoder: text, unet, scheduler } = smallStableDiffusion(64, 2048)
  const init = placeholders(new FakeHost())
  const models = [new AutoencoderKL(init, vae), new CLIPTextModel(init, text), new UNet2DConditionModel(init, unet)]
  const numbers = models.flatMap((model) => [...model.state().values()]).reduce((sum, t) => sum + t.size, 0)
  expect(2 * numbers).toBeLessThan(20e6) // in f16
  expect((models[0] as AutoencoderKL).scale * 16).toBe(64)
  expect(unet.cross_attention_dim).toBe(text.hidden_size)
  // The last step is noise alone.
  expect(fromConfig(scheduler).schedule?.predictionType).toBe('v_prediction')
  expect(fromConfig(scheduler).schedule?.alphasCumprod.at(-1)).toBe(0)
})

test('a side or a vocabulary that is none is refused', () => {
  expect(() => smallStableDiffusion(40, 2048)).toThrow('expected a side that is a multiple of 16, got 40')
  expect(() => smallStableDiffusion(64, 2)).toThrow('expected vocabulary to be')
})
