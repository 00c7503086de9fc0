import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeSafetensors, readSafetensors, type SafetensorsEntry } from '@antipode/core/io'
import { FakeHost } from '@antipode/core/testing'
import { openCheckpoint } from '../../checkpoints/index.ts'
import { type AdapterFormat, convertAdapter } from './index.ts'

const host = new FakeHost()
const fixture = (name: string): string => join(import.meta.dirname, '../../../../pipelines/test', name)
const folder = mkdtempSync(join(tmpdir(), 'antipode-adapter-'))
afterAll(() => { rmSync(folder, { recursive: true }) })

async function contents(path: string): Promise<Record<string, string>> {
  await using file = await readSafetensors(path)
  const all = Array.from(file.tensors, async ([name, { dtype, shape }]) => (
    [name, `${dtype} ${shape.join()} ${Buffer.from(await file.read(name)).toString('base64')}`] as const
  ))
  return Object.fromEntries(await Promise.all(all))
}

test.each<AdapterFormat>(['kohya', 'peft'])('an adapter goes to %s and back, byte for byte', async (format) => {
  await using checkpoint = await openCheckpoint(fixture('sd'))
  const [there, back] = [join(folder, `${format}.safetensors`), join(folder, `back-${format}.safetensors`)]
  const source = fixture('adapters/dpo.safetensors')
  await convertAdapter(host, source, there, { format, checkpoint })
  const [name = ''] = Object.keys(await contents(there))
  expect(name).toMatch(format === 'kohya' ? /^lora_unet_/ : /^base_model\.model\./)
  await convertAdapter(host, there, back, { format: 'diffusers', checkpoint })
  expect(await contents(back)).toEqual(await contents(source))
  expect(host.memory().tensors).toBe(0)
})

const lora = (stem: string, width: number): Uint8Array<ArrayBuffer> => {
  const half = (name: string, shape: readonly number[]): SafetensorsEntry =>
    ({ name: `${stem}.${name}`, dtype: 'F16', shape, data: new Uint16Array(shape.reduce((a, b) => a * b, 1)).fill(0x3800) })
  const alpha: SafetensorsEntry = { name: `${stem}.alpha`, dtype: 'F32', shape: [], data: Float32Array.of(3) }
  return encodeSafetensors([half('lora_down.weight', [2, width]), half('lora_up.weight', [640, 2]), alpha])
}

test.each([
  ['Stable Diffusion 1', 'lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k', 768, 'down_blocks.1.attentions.0'],
  ['Stable Diffusion XL', 'lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k', 2048, 'down_blocks.1.attentions.0'],
])('an adapter of %s needs no checkpoint beside it, and keeps its alpha', async (_, stem, width, block) => {
  const path = join(folder, 'family.safetensors')
  await convertAdapter(host, lora(stem, width), path, { format: 'diffusers' })
  const name = `unet.${block}.transformer_blocks.0.attn2.to_k`
  expect(Object.keys(await contents(path)).toSorted()).toEqual([`${name}.lora_A.weight`, `${name}.lora_B.weight`])
  expect(readFileSync(path, 'latin1')).toContain('lora_alpha\\":3')
  await convertAdapter(host, path, join(folder, 'kohya.safetensors'), { format: 'kohya', dtype: 'bf16' })
  const back = await contents(join(folder, 'kohya.safetensors'))
  expect([Object.keys(back).includes(`${stem}.lora_up.weight`), back[`${stem}.lora_down.weight`]?.slice(0, 4)]).toEqual([true, 'BF16'])
})

test('an adapter that tells no family asks for the checkpoint, and other files are refused for what they are', async () => {
  const path = join(folder, 'none.safetensors')
  await expect(convertAdapter(host, lora('lora_unet_x_attn2_to_k', 24), path, { format: 'kohya' }))
    .rejects.toThrow('told by its names and shapes, got a LoRA; pass the checkpoint that it is for')
  await using checkpoint = await openCheckpoint(fixture('sd'))
  await expect(convertAdapter(host, fixture('sd/vae/diffusion_pytorch_model.safetensors'), path, { format: 'kohya', checkpoint }))
    .rejects.toThrow('expected an adapter of unet, text_encoder, got an autoencoder')
})
