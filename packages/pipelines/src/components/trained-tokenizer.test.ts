import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CheckpointError } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import {
  AutoencoderKL, CLIPTextModel, CLIPTokenizer, type Component, saveCheckpoint, tokenizerComponent, trainClipTokenizer,
  UNet2DConditionModel,
} from '@antipode/models'
import { expect, test } from 'vitest'
import type { StableDiffusionComponents } from '../stable-diffusion/index.ts'
import { loadPipeline } from './index.ts'

const host = new FakeHost()
const scheduler: Component = {
  className: 'DDIMScheduler', config: { _class_name: 'DDIMScheduler' },
  weights: () => Promise.reject(new CheckpointError('a scheduler has none')), text: () => Promise.resolve(undefined),
}
const init = randomParameters(host, { seed: 1 })

test('a pipeline is saved with a tokenizer that was just trained, and opens with it', async () => {
  const texts = ['a red square', 'a redder square', 'the reddest café']
  const files = trainClipTokenizer(texts, { vocabularySize: 520, minFrequency: 1, maxLength: 16 })
  const folder = mkdtempSync(join(tmpdir(), 'antipode-own-'))
  try {
    await saveCheckpoint(folder, {
      className: 'StableDiffusionPipeline',
      components: {
        unet: new UNet2DConditionModel(init, {
          in_channels: 4, out_channels: 4, block_out_channels: [32], norm_num_groups: 2, layers_per_block: 1,
          attention_head_dim: 2, cross_attention_dim: 32, down_block_types: ['CrossAttnDownBlock2D'],
          up_block_types: ['UpBlock2D'], mid_block_type: null,
        }),
        vae: new AutoencoderKL(init, { block_out_channels: [4], norm_num_groups: 2 }),
        text_encoder: new CLIPTextModel(init, {
          vocab_size: 520, eos_token_id: 519, max_position_embeddings: 16, hidden_size: 32, intermediate_size: 32,
          num_hidden_layers: 1, num_attention_heads: 2,
        }),
        scheduler, tokenizer: tokenizerComponent(files),
      },
    })
    using pipe = await loadPipeline(host, folder, { dtype: 'f32' })
    const { tokenizer } = pipe.components as StableDiffusionComponents
    const own = CLIPTokenizer.from(files)
    expect([own.maxLength, own.eos, tokenizer.maxLength, tokenizer.eos]).toEqual([16, 519, 16, 519])
    for (const text of [...texts, 'unseen 🐈']) expect(tokenizer.padded(text)).toEqual(own.padded(text))
    // Six merges are in it, which shorten what they were learned from.
    expect(own.encode('square').length).toBeLessThan('square'.length)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
