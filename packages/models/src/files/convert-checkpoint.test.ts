import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeSafetensors, readSafetensors, type SafetensorsEntry } from '@antipode/core/io'
import { FakeHost } from '@antipode/core/testing'
import { openCheckpoint } from '../checkpoints/index.ts'
import { originals } from '../checkpoints/testing/index.ts'
import { convertCheckpoint } from './index.ts'

const host = new FakeHost()
const fixture = (name: string): string => join(import.meta.dirname, '../../../pipelines/test', name)
const folder = mkdtempSync(join(tmpdir(), 'antipode-convert-'))
afterAll(() => { rmSync(folder, { recursive: true }) })

/** The bytes of each tensor of a file, but for positions, which are counted. */
async function bytesOf(path: string): Promise<Record<string, string>> {
  await using file = await readSafetensors(path)
  const all: Record<string, string> = {}
  for (const [name, { dtype, shape }] of file.tensors) {
    if (dtype === 'I64') continue
    // transformers saves its text towers without the first part of their names.
    all[name.replace(/^text_model\./, '')] = `${dtype} ${shape.join()} ${Buffer.from(await file.read(name)).toString('base64')}`
  }
  return all
}

const weightsIn = (path: string): string[] =>
  readdirSync(path, { recursive: true }).map(String).filter((name) => name.endsWith('.safetensors')).toSorted()

test.each(['sd', 'sdxl'])('a folder of %s becomes one file and a folder again, each tensor byte for byte', async (name) => {
  const [file, back] = [join(folder, `${name}.safetensors`), join(folder, name)]
  const seen: number[] = []
  const there = await convertCheckpoint(host, fixture(name), file, { onTensor: ({ done }) => seen.push(done) })
  expect(there.layout).toBe('one file with the names of the original code')
  expect(there.lost).toEqual(expect.arrayContaining(['scheduler', 'tokenizer']))
  expect(seen).toEqual(Array.from(seen, (_, i) => i))
  await expect(convertCheckpoint(host, file, back)).rejects.toThrow('expected the files of a tokenizer')
  expect(existsSync(back)).toBe(false)
  const kept = await convertCheckpoint(host, file, back, { tokenizer: fixture(name) })
  expect(kept.lost).toEqual([])
  expect(weightsIn(back)).toEqual(weightsIn(fixture(name)))
  for (const one of weightsIn(back)) expect(await bytesOf(join(back, one))).toEqual(await bytesOf(join(fixture(name), one)))
  expect(JSON.parse(readFileSync(join(back, 'model_index.json'), 'utf8'))).toMatchObject({ unet: ['diffusers', 'UNet2DConditionModel'] })
  expect(existsSync(join(back, 'tokenizer/vocab.json'))).toBe(true)
  expect(host.memory().tensors).toBe(0)
})

test('what readers of single files take for granted is said where a checkpoint has it otherwise', async () => {
  const { lost } = await convertCheckpoint(host, fixture('sd'), join(folder, 'told.safetensors'))
  expect(lost).toContain('attention_head_dim of unet (2, for which readers take 8)')
})

test('a folder in another element type keeps all else, and one model stays one model', async () => {
  const wide = join(folder, 'wide')
  await convertCheckpoint(host, fixture('sd'), wide, { dtype: 'f32' })
  const narrow = join(folder, 'narrow')
  await convertCheckpoint(host, wide, narrow, { dtype: 'f16' })
  for (const one of weightsIn(narrow)) expect(await bytesOf(join(narrow, one))).toEqual(await bytesOf(join(fixture('sd'), one)))
  expect(JSON.parse(readFileSync(join(wide, 'text_encoder/config.json'), 'utf8'))).toMatchObject({ dtype: 'float32' })
  const vae = join(folder, 'vae')
  await convertCheckpoint(host, join(fixture('sd'), 'vae'), vae)
  expect(readdirSync(vae).toSorted()).toEqual(['config.json', 'diffusion_pytorch_model.safetensors'])
  const alone = join(folder, 'vae.safetensors')
  await convertCheckpoint(host, vae, alone)
  await using opened = await openCheckpoint(alone)
  expect(opened.className).toBe('AutoencoderKL')
})

const golden = join(import.meta.dirname, '../../../core/src/io/gguf/gguf.golden.json')
const { base64 } = JSON.parse(readFileSync(golden, 'utf8')) as { readonly base64: string } // written by its generator
const quantised = Uint8Array.from(Buffer.from(base64, 'base64'))

test('one file keeps its names: quantised tensors multiplied out, whole numbers as they are', async () => {
  const path = join(folder, 'plain.safetensors')
  const entries: SafetensorsEntry[] = [
    { name: 'a', dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) },
    { name: 'ids', dtype: 'I64', shape: [1], data: BigInt64Array.of(7n) },
  ]
  await convertCheckpoint(host, encodeSafetensors(entries, { note: 'kept' }), path, { dtype: 'bf16' })
  await using file = await readSafetensors(path)
  expect([...file.tensors].map(([name, { dtype }]) => `${name} ${dtype}`).toSorted()).toEqual(['a BF16', 'ids I64'])
  expect([file.metadata['note'], [...await file.readFloat32('a')]]).toEqual(['kept', [1, 2]])
  const many = join(folder, 'gguf.safetensors')
  const { tensors } = await convertCheckpoint(host, quantised, many)
  await using out = await readSafetensors(many)
  expect(out.tensors.size).toBe(tensors)
  const huge = encodeSafetensors([{ name: 'a', dtype: 'F32', shape: [1], data: Float32Array.of(1e6) }])
  await expect(convertCheckpoint(host, huge, path, { dtype: 'f16' })).rejects.toThrow('expected a within ±65504')
})

test('OpenCLIP at its true size: names and shapes of the refiner come back', async () => {
  const { textToOpenClip, openClipText } = await import('../keymaps/index.ts')
  const { sourceOf } = await import('../checkpoints/testing/index.ts')
  const prefix = 'conditioner.embedders.0.model.'
  const own = new Map([...originals['sdxl-refiner']().file].flatMap(([name, shape]) =>
    (name.startsWith(prefix) && !name.endsWith('logit_scale') ? [[name.slice(prefix.length), shape] as const] : [])))
  const back = textToOpenClip(openClipText(sourceOf(own)))
  expect(new Map(Array.from(back.names(), (name) => [name, back.info(name)?.shape]))).toEqual(own)
})
