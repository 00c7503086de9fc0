import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { inspectText, runInspect } from './index.ts'

const fixture = (path: string): string => fileURLToPath(new URL(`../../../pipelines/test/${path}`, import.meta.url))
const { signal } = new AbortController()

test('a folder of diffusers is told by its parts', async () => {
  const result = await runInspect({ path: fixture('sd'), signal })
  expect(result.what).toBe('a folder of StableDiffusionPipeline')
  const text = inspectText(result)
  expect(text).toMatch(/unet {2,}UNet2DConditionModel {2}\d+ tensors, \d+ parameters \(\d+ F16 in \d+ bytes\)/)
  expect(text).toMatch(/tokenizer {2,}CLIPTokenizer\n/)
  expect(text).toContain('opened by antipode generate --model')
})

test('an adapter is told with what it is for', async () => {
  const result = await runInspect({ path: fixture('adapters/dpo.safetensors'), signal })
  expect(result.what).toMatch(/^a LoRA/)
  expect(inspectText(result)).toContain('pipe.adapters.load')
})

test('half of a tiny autoencoder is told for what it is', async () => {
  const result = await runInspect({ path: fixture('taef2/taef2_decoder.safetensors'), signal })
  expect(result.what).toBe('one half of a tiny autoencoder, such as TAESD')
  expect(result.opens).toContain('antipode generate --preview-decoder')
  const both = await runInspect({ path: fixture('taef2'), signal })
  expect([both.what, both.parts.length]).toEqual(['a folder of weights without a configuration', 2])
  expect(both.opens).toContain('antipode reconstruct IMAGE --model')
  await expect(runInspect({ path: fixture('taef2/astronaut.png'), signal })).rejects.toThrow('expected a file of tensors, got a PNG image')
})
