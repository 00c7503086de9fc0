import { expect, test } from 'vitest'
import { placeholders, stateOf } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import type { CLIPTextConfig, CLIPVisionConfig } from '../clip/index.ts'
import { waveParameter } from '../testing/index.ts'
import { clipTextModel, clipTextModelWithProjection, clipVisionModelWithProjection } from './index.ts'

const host = new FakeHost()
const text: CLIPTextConfig = { vocab_size: 16, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1, num_attention_heads: 2, max_position_embeddings: 5, projection_dim: 6 }
const vision: CLIPVisionConfig = { hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1, num_attention_heads: 2, image_size: 4, patch_size: 2, projection_dim: 6 }

test.each([[clipTextModel, text], [clipTextModelWithProjection, text], [clipVisionModelWithProjection, vision]] as const)('a tower loads from a file of its own, from a whole CLIP, and as transformers 5 saves it: $className', async (entry, config) => {
  const shapes = entry.build(placeholders(host), config, 100).state()
  const own = (): [string, ReturnType<typeof waveParameter>][] => [...shapes].map(([name, { shape }]) => [name, waveParameter(host, name, shape)])
  const buffer = entry === clipVisionModelWithProjection ? 'vision_model.embeddings.position_ids' : 'text_model.embeddings.position_ids'
  const extra = ['logit_scale', 'text_projection.weight', 'visual_projection.weight', 'text_model.x', 'vision_model.x', buffer]
  const whole = new Map([...extra.map((name): [string, ReturnType<typeof waveParameter>] => [name, waveParameter(host, name, [2])]), ...own()])
  const stray = entry === clipVisionModelWithProjection ? 'vision_model.x' : 'text_model.x'
  whole.delete(stray)
  const bare = new Map(own().map(([name, t]) => [name.replace(/^(text|vision)_model\./, ''), t]))
  for (const file of [new Map(own()), whole, bare]) {
    const model = entry.build(placeholders(host), config, 100)
    await model.load(entry.names!(stateOf(file)))
    expect(model.parameterCount).toBeGreaterThan(0)
  }
})
