import { tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { CLIPTextModel, CLIPTextModelWithProjection } from '../clip/index.ts'
import { openClipText } from './index.ts'

const host = new FakeHost()
const config = { vocab_size: 16, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 5, hidden_act: 'gelu', projection_dim: 6, eos_token_id: 1 } as const

/** A checkpoint of OpenCLIP with two layers; a projection is `[width, embedding]` there. */
function openClip(): Map<string, ReturnType<typeof waveParameter>> {
  const shapes: Record<string, number[]> = {
    positional_embedding: [5, 8], 'token_embedding.weight': [16, 8], 'ln_final.weight': [8], 'ln_final.bias': [8], text_projection: [8, 6], logit_scale: [],
  }
  for (const layer of [0, 1]) {
    const at = `transformer.resblocks.${layer}.`
    Object.assign(shapes, Object.fromEntries(Object.entries({
      'ln_1.weight': [8], 'ln_1.bias': [8], 'ln_2.weight': [8], 'ln_2.bias': [8], 'attn.in_proj_weight': [24, 8], 'attn.in_proj_bias': [24],
      'attn.out_proj.weight': [8, 8], 'attn.out_proj.bias': [8], 'mlp.c_fc.weight': [12, 8], 'mlp.c_fc.bias': [12], 'mlp.c_proj.weight': [8, 12], 'mlp.c_proj.bias': [8],
    }).map(([name, shape]) => [at + name, shape])))
  }
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, waveParameter(host, name, shape)]))
}

test('a text tower of OpenCLIP has every tensor of transformers\' model, queries, keys and values apart and the projection turned', async () => {
  const file = openClip()
  const model = new CLIPTextModelWithProjection(placeholders(host), config)
  await model.load(openClipText(file))
  const state = model.state()
  const [own, whole, turned, projection] = interpret([
    state.get('text_model.encoder.layers.1.self_attn.k_proj.weight')!, file.get('transformer.resblocks.1.attn.in_proj_weight')!,
    state.get('text_projection.weight')!, file.get('text_projection')!,
  ]) as [Float64Array, Float64Array, Float64Array, Float64Array]
  expect([...own]).toEqual([...whole.subarray(64, 128)])
  expect(turned[1]).toBe(projection[6])
  const ids = tensor(host, [0, 5, 9, 1, 1], [1, 5], { dtype: 'i32' })
  expect(interpret([model.forward(ids).textEmbeds!])[0]!.every(Number.isFinite)).toBe(true)
})

test('layers beyond those asked for, and a projection that the model has not, are left out', async () => {
  const model = new CLIPTextModel(placeholders(host), { ...config, num_hidden_layers: 1 })
  await model.load(openClipText(openClip(), { layers: 1, projection: false }))
  await expect(model.load(openClipText(openClip(), { layers: 1 }))).rejects.toThrow('1 unexpected: text_projection.weight')
})
