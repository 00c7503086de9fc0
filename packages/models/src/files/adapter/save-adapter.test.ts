import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '@antipode/core'
import { readSafetensors } from '@antipode/core/io'
import { adapterAlphas, adapterParameters, addAdapter, fullDelta, lora, type Module } from '@antipode/core/nn'
import { noise } from '@antipode/core/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loraTargets } from '../../lora-targets.ts'
import { type AdapterFormat, loadAdapter, loadOffset, saveAdapter } from './index.ts'
import { type Family, type Models, modelsOf } from './testing.ts'

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'antipode-saved-')) })
afterAll(async () => { await rm(folder, { recursive: true }) })

/** Adapters on all models, as if trained: two of ranks and alphas of their own on a UNet, one on each text encoder. */
async function adapted(family: Family): Promise<Models> {
  const models = await modelsOf(family)
  addAdapter(models.unet, 'a', lora({ rank: 2, alpha: 1 / 3, targets: /blocks\.1\.(attentions|resnets|downsamplers)|conv_in|blocks\.0\.resnets\.0\.conv1/ }))
  for (const model of [models.text_encoder, models.text_encoder_2]) {
    if (model) addAdapter(model, 'a', lora({ rank: 1, alpha: 0.7, targets: loraTargets.textEncoder }))
  }
  let seed = 1
  for (const model of Object.values(models) as Module[]) {
    for (const t of adapterParameters(model, 'a').values()) t.write(noise(t.size, seed++).map((v) => v / 4))
  }
  return models
}

test.each<[Family, AdapterFormat]>([['xl', 'diffusers'], ['sd', 'kohya'], ['xl', 'kohya']])('an adapter on the models of %s comes back from a file in the format %s', async (family, format) => {
  const models = await adapted(family)
  const path = join(folder, `${family}.${format}.safetensors`)
  await saveAdapter(path, models, { name: 'a', format, metadata: { by: 'test' } })
  const again = await modelsOf(family)
  await loadAdapter(again, path, { name: 'a' })
  for (const component of Object.keys(models) as (keyof Models)[]) {
    const [own, read] = [adapterParameters(models[component]!, 'a'), adapterParameters(again[component]!, 'a')]
    expect([...read.keys()]).toEqual([...own.keys()])
    for (const [name, t] of own) expect(await read.get(name)!.data()).toEqual(await t.data())
    const want = [...adapterAlphas(models[component]!, 'a')]
    // Numbers beside the pairs are of f32.
    expect([...adapterAlphas(again[component]!, 'a')]).toEqual(format === 'kohya' ? want.map(([layer, alpha]) => [layer, Math.fround(alpha)]) : want)
  }
})

test('kohya-ss\'s files have its names, and say rank and alpha in the header', async () => {
  const models = await adapted('xl')
  const path = join(folder, 'kohya.safetensors')
  await saveAdapter(path, { unet: models.unet }, { name: 'a', format: 'kohya', dtype: 'f16' })
  await using file = await readSafetensors(path)
  expect(file.metadata).toEqual({ ss_network_module: 'networks.lora', ss_network_dim: '2', ss_network_alpha: `${1 / 3}` })
  const stems = new Set(Array.from(file.tensors.keys(), (name) => name.replace(/\..*/, '')))
  expect(stems).toContain('lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_out_0')
  expect([...stems].filter((stem) => /lora_te|down_blocks|up_blocks/.test(stem))).toEqual([])
  const { shape, dtype } = file.tensors.get('lora_unet_input_blocks_1_0_in_layers_2.lora_up.weight')!
  expect([shape, dtype]).toEqual([[8, 2, 1, 1], 'F16'])
  expect(file.tensors.get('lora_unet_input_blocks_1_0_in_layers_2.alpha')).toMatchObject({ shape: [], dtype: 'F32' })
  await saveAdapter(path, models, { name: 'a', format: 'kohya' })
  await using all = await readSafetensors(path)
  expect(all.metadata).toMatchObject({ ss_network_dim: 'Dynamic', ss_network_alpha: 'Dynamic' })
})

test('PEFT\'s files lie beside their configuration, of one model each', async () => {
  const models = await adapted('sd')
  const path = join(folder, 'adapter_model.safetensors')
  await saveAdapter(path, models.text_encoder, { name: 'a', format: 'peft' })
  const config = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8')) as Record<string, unknown>
  expect(config).toMatchObject({ peft_type: 'LORA', r: 1, lora_alpha: 0.7, alpha_pattern: {}, bias: 'none' })
  await using file = await readSafetensors(path)
  expect([...file.tensors.keys()].every((name) => /^base_model\.model\.encoder\..*\.lora_[AB]\.weight$/.test(name))).toBe(true)
  const again = await modelsOf('sd')
  await loadAdapter(again.text_encoder, path, { name: 'a' })
  expect(adapterAlphas(again.text_encoder, 'a')).toEqual(adapterAlphas(models.text_encoder, 'a'))
  await expect(saveAdapter(path, models, { name: 'a', format: 'peft' })).rejects.toThrow("expected low-rank pairs of one model for the format 'peft', got 2 of them; save each model by itself")
  addAdapter(models.unet, 'full', fullDelta({ targets: /conv_in/ }))
  await expect(saveAdapter(path, models.unet, { name: 'full', format: 'peft' })).rejects.toThrow('got 1 differences in full')
})

test('differences in full, of biases and norms too, come back in every format that has them', async () => {
  const [{ text_encoder: model }, { text_encoder: donor }] = [await modelsOf('sd'), await modelsOf('sd')]
  await loadOffset(model, new Map([...model.state()].map(([name, t]) => [name, t.add(1)])), { name: 'a' })
  const own = adapterParameters(model, 'a')
  expect([...own.keys()].filter((name) => /norm.*diff_b$/.test(name))).toHaveLength(5)
  for (const format of ['diffusers', 'kohya'] as const) {
    const path = join(folder, `full.${format}.safetensors`)
    await saveAdapter(path, { text_encoder: model }, { name: 'a', format })
    await loadAdapter({ text_encoder: donor }, path, { name: 'a' })
    const read = adapterParameters(donor, 'a')
    expect([...read.keys()]).toEqual([...own.keys()])
    for (const [name, t] of own) expect(await read.get(name)!.data()).toEqual(await t.data())
  }
})

test('what cannot be written is refused before a file is', async () => {
  const models = await adapted('sd')
  const save = (options: object): Promise<void> => saveAdapter(join(folder, 'none.safetensors'), models, { name: 'a', ...options })
  await expect(save({ name: 'b' })).rejects.toThrow('expected an adapter of the model (a), got "b"')
  await expect(save({ format: 'a1111' })).rejects.toThrow("expected format to be 'diffusers' or 'peft' or 'kohya', got 'a1111'")
  await expect(save({ metadata: { ss_network_dim: '3' } })).rejects.toThrow('expected metadata without ss_network_dim')
  await expect(save({ metadata: { by: 3 } })).rejects.toThrow(ConfigError)
  await expect(saveAdapter('none', { vae: models.unet } as never, { name: 'a' })).rejects.toThrow('saveAdapter: expected options among unet, text_encoder, text_encoder_2, got vae')
  await expect(saveAdapter('none', {}, { name: 'a' })).rejects.toThrow('at least one of unet, text_encoder, text_encoder_2')
  await expect(readFile(join(folder, 'none.safetensors'))).rejects.toThrow('ENOENT')
})
