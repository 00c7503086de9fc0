import { expect, test } from 'vitest'
import type { Tensor } from '@antipode/core'
import { placeholders, stateOf } from '@antipode/core/nn'
import { FakeHost, waveParameter } from '@antipode/core/testing'
import type { CLIPTextConfig, CLIPVisionConfig } from '../clip/index.ts'
import { clipTextModel, clipTextModelWithProjection, clipVisionModelWithProjection } from './index.ts'

const host = new FakeHost()
const tower = { hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1, num_attention_heads: 2, projection_dim: 6 }
const text: CLIPTextConfig = { ...tower, vocab_size: 16, max_position_embeddings: 5 }
const vision: CLIPVisionConfig = { ...tower, image_size: 4, patch_size: 2 }

test.each([
  ['CLIPTextModel', clipTextModel, text, 'text'],
  ['CLIPTextModelWithProjection', clipTextModelWithProjection, text, 'text'],
  ['CLIPVisionModelWithProjection', clipVisionModelWithProjection, vision, 'vision'],
] as const)('%s loads from its own file, a whole CLIP, and as transformers 5 saves it', async (_, entry, config, side) => {
  const shapes = entry.build(placeholders(host), config, 100).state()
  const own = (): [string, Tensor][] => [...shapes].map(([name, { shape }]) => [name, waveParameter(host, name, shape)])
  const other = side === 'text' ? 'vision' : 'text'
  const extra = [
    'logit_scale', 'text_projection.weight', 'visual_projection.weight', `${other}_model.x`,
    `${side}_model.embeddings.position_ids`,
  ]
  const whole = new Map([...extra.map((name): [string, Tensor] => [name, waveParameter(host, name, [2])]), ...own()])
  const bare = new Map(own().map(([name, t]) => [name.replace(/^(text|vision)_model\./, ''), t]))
  for (const file of [new Map(own()), whole, bare]) {
    const model = entry.build(placeholders(host), config, 100)
    await model.load(entry.names!(stateOf(file)))
    expect(model.parameterCount).toBeGreaterThan(0)
  }
})
