import { placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { AutoencoderKL, CLIPTextModel, UNet2DConditionModel } from '@antipode/models'
import { clipTowers } from '@antipode/rewards'
import { fromConfig } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { smallClip, smallStableDiffusion } from './index.ts'

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

test('the towers of the small CLIP meet, and its text tower is that of the pipeline', () => {
  const { text_config: text, vision_config: vision } = smallClip(64, 2048)
  expect(text).toEqual(smallStableDiffusion(64, 2048).text_encoder)
  const towers = clipTowers(placeholders(new FakeHost()), { text, vision })
  expect(towers.text.resolved.projection).toBe(towers.vision.resolved.projection)
  expect(towers.text.parameterCount + towers.vision.parameterCount).toBeLessThan(2.2e6)
  expect(() => smallClip(60, 2048)).toThrow('expected a side that is a multiple of 8, got 60')
})

test('a side or a vocabulary that is none is refused', () => {
  expect(() => smallStableDiffusion(40, 2048)).toThrow('expected a side that is a multiple of 16, got 40')
  expect(() => smallStableDiffusion(64, 2)).toThrow('expected vocabulary to be')
})
