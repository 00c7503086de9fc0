import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CheckpointError, ConfigError } from '@antipode/core'
import { readSafetensors } from '@antipode/core/io'
import { FakeHost } from '@antipode/core/testing'
import { placeholders, randomParameters } from '@antipode/core/nn'
import { AutoencoderKL } from '../autoencoder/index.ts'
import { openCheckpoint } from '../checkpoints/index.ts'
import { pipelineFiles } from '../checkpoints/testing.ts'
import { CLIPTextModel } from '../clip/index.ts'
import { autoencoderKL, clipTextModel } from '../registry/index.ts'
import { saveCheckpoint } from './index.ts'

const host = new FakeHost()
const vae = new AutoencoderKL(randomParameters(host, { seed: 1 }), { block_out_channels: [4], norm_num_groups: 2 })
const text = new CLIPTextModel(randomParameters(host, { seed: 2 }), {
  vocab_size: 16, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1, num_attention_heads: 2,
})

test('a pipeline that is saved opens again, with the numbers, configurations and texts that it had', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-save-'))
  try {
    await using source = await openCheckpoint(pipelineFiles())
    const [scheduler, tokenizer] = [source.component('scheduler'), source.component('tokenizer')]
    const path = join(folder, 'deep', 'pipeline')
    const components = { vae, text_encoder: text, scheduler, tokenizer }
    await saveCheckpoint(path, { className: 'StableDiffusionPipeline', config: { requires_safety_checker: false }, components })
    expect(readdirSync(path, { recursive: true }).filter((name) => String(name).includes('.')).toSorted()).toEqual([
      'model_index.json', 'scheduler/scheduler_config.json', 'text_encoder/config.json', 'text_encoder/model.safetensors',
      'tokenizer/tokenizer_config.json', 'tokenizer/vocab.json', 'vae/config.json', 'vae/diffusion_pytorch_model.safetensors',
    ])
    expect(JSON.parse(readFileSync(join(path, 'model_index.json'), 'utf8'))).toMatchObject({
      _class_name: 'StableDiffusionPipeline', requires_safety_checker: false, vae: ['diffusers', 'AutoencoderKL'],
      text_encoder: ['transformers', 'CLIPTextModel'], scheduler: ['diffusers', 'PNDMScheduler'],
    })
    await using saved = await openCheckpoint(path)
    expect(saved.component('scheduler').config).toEqual(scheduler.config)
    expect(await saved.component('tokenizer').text('vocab.json')).toBe(await tokenizer.text('vocab.json'))
    for (const [name, entry, made] of [['vae', autoencoderKL, vae], ['text_encoder', clipTextModel, text]] as const) {
      const { config, weights } = saved.component(name)
      const again = entry.build(randomParameters(host, { seed: 9 }), config, 1000)
      await again.load(await weights())
      for (const [own, t] of made.state()) expect(await again.state().get(own)?.data()).toEqual(await t.data())
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('numbers that transformers wants with a point have one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-save-'))
  try {
    const whole = { ...text.config, initializer_factor: 1, attention_dropout: 0 }
    const model = new CLIPTextModel(placeholders(host), whole)
    await saveCheckpoint(folder, { className: 'P', components: { text_encoder: model } })
    const written = readFileSync(join(folder, 'text_encoder', 'config.json'), 'utf8')
    expect(written).toContain('"initializer_factor": 1.0')
    expect(written).toContain('"attention_dropout": 0.0')
    expect(written).toContain('"hidden_size": 8,')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a variant is in the names of files, and their layout in their headers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-save-'))
  try {
    await saveCheckpoint(folder, { className: 'P', components: { vae } }, { dtype: 'f16', variant: 'fp16' })
    await using file = await readSafetensors(join(folder, 'vae', 'diffusion_pytorch_model.fp16.safetensors'))
    expect(file.metadata).toEqual({ format: 'pt' })
    expect(file.tensors.get('encoder.conv_in.weight')?.dtype).toBe('F16')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what cannot be saved is refused by name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-save-'))
  try {
    await using source = await openCheckpoint(pipelineFiles())
    const save = (components: Parameters<typeof saveCheckpoint>[1]['components'], at = folder): Promise<void> =>
      saveCheckpoint(at, { className: 'P', components })
    await expect(save({ '../vae': vae })).rejects.toThrow(ConfigError)
    await expect(save({ unet: source.component('unet') })).rejects.toThrow('got a component of UNet2DConditionModel; load it first')
    writeFileSync(join(folder, 'file'), '')
    await expect(save({ vae }, join(folder, 'file', 'below'))).rejects.toThrow(CheckpointError)
    expect(readdirSync(folder)).not.toContain('model_index.json')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
