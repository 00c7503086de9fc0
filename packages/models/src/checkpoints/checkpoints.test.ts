import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CheckpointError, ConfigError } from '@antipode/core'
import { type DirectoryHandle, encodeSafetensors, float16ToFloat32, float32ToFloat16 } from '@antipode/core/io'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, waveParameter } from '@antipode/core/testing'
import { autoencoderKL, clipTextModel, unet2DCondition } from '../registry/index.ts'
import { type CheckpointSource, type LoadProgress, openCheckpoint, type OpenCheckpointOptions } from './index.ts'
import golden from './pipeline.golden.json' with { type: 'json' }
import { edited, entries, models, pipelineFiles } from './testing/index.ts'

const files = pipelineFiles()
let folder: string
let server: Server
let base: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-checkpoint-'))
  for (const [path, bytes] of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
  server = createServer((request, response) => {
    const bytes = files.get((request.url ?? '').slice('/sd/'.length))
    if (!bytes) return response.writeHead(404).end()
    const [, begin, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
    if (begin === undefined) return response.writeHead(200).end(bytes)
    const part = bytes.subarray(Number(begin), Number(end) + 1)
    const range = `bytes ${begin}-${Number(begin) + part.length - 1}/${bytes.length}`
    return response.writeHead(206, { 'content-range': range }).end(part)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sd` // listening on a port, not a pipe
})

afterAll(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  rmSync(folder, { recursive: true })
})

/** A directory as a page is given it. */
function handle(name: string, at = ''): DirectoryHandle {
  const inside = [...files.keys()].filter((path) => path.startsWith(at)).map((path) => path.slice(at.length))
  const missing = (): never => { throw new DOMException('missing', 'NotFoundError') }
  return {
    kind: 'directory',
    name,
    getDirectoryHandle: async (child) =>
      (inside.some((path) => path.startsWith(`${child}/`)) ? handle(child, `${at}${child}/`) : missing()),
    getFileHandle: async (child) => ({ getFile: async () => new Blob([files.get(at + child) ?? missing()]) }),
    async *keys() {
      for (const path of inside) yield path.replace(/\/.*/, '')
    },
  }
}

const parts = [['unet', unet2DCondition], ['vae', autoencoderKL], ['text_encoder', clipTextModel]] as const

test.each<[string, () => CheckpointSource]>([
  ['a folder on the disk', () => folder],
  ['an address', () => base],
  ['a directory that a page was given', () => handle('sd')],
  ['files by path', () => files],
  ['files chosen in a page, under the name of their folder', () =>
    new Map(Array.from(files, ([path, bytes]) => [`sd/${path}`, new Blob([bytes])]))],
])('a pipeline of diffusers opens from %s, and each model takes its own weights', async (_, source) => {
  await using checkpoint = await openCheckpoint(source())
  expect(checkpoint.className).toBe('StableDiffusionPipeline')
  expect(checkpoint.config).toEqual({ requires_safety_checker: false })
  expect(Object.fromEntries([...checkpoint.components].map(([name, { className }]) => [name, className]))).toEqual({
    scheduler: 'PNDMScheduler', text_encoder: 'CLIPTextModel', tokenizer: 'CLIPTokenizer',
    unet: 'UNet2DConditionModel', vae: 'AutoencoderKL',
  })
  expect(checkpoint.components.get('scheduler')?.config).toEqual({ _class_name: 'PNDMScheduler', steps_offset: 1 })
  expect(checkpoint.components.get('tokenizer')?.config).toEqual({})
  expect(await checkpoint.components.get('tokenizer')?.text('vocab.json')).toBe('{"a":0}')
  expect(await checkpoint.components.get('tokenizer')?.text('merges.txt')).toBeUndefined()
  const made = models()
  const wanted = { unet: made.unet, vae: made.vae, text_encoder: made.text }
  for (const [name, entry] of parts) {
    const component = checkpoint.component(name)
    const state = await component.weights()
    const model = entry.build(placeholders(new FakeHost()), component.config, [...state.names()].length)
    await model.load(entry.names?.(state) ?? state)
    for (const { name: tensor, data } of entries(wanted[name])) {
      expect([...await model.state().get(tensor)!.data()]).toEqual([...data as Float32Array])
    }
  }
})

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

test('a pipeline that diffusers saved opens as it is: every tensor has the numbers that it had, in f16', async () => {
  const saved = new Map(Object.entries(golden.files).map(([path, content]) =>
    [path, 'text' in content ? new TextEncoder().encode(content.text) : bytesOf(content.base64)]))
  expect([...saved.keys()].filter((path) => path.startsWith('unet/')).length).toBeGreaterThan(2)
  await using checkpoint = await openCheckpoint(saved)
  expect(checkpoint.className).toBe('StableDiffusionPipeline')
  const host = new FakeHost()
  for (const [name, entry] of parts) {
    const { config, weights } = checkpoint.component(name)
    const state = await weights()
    const model = entry.build(placeholders(host), config, [...state.names()].length)
    await model.load(entry.names?.(state) ?? state)
    for (const [own, t] of model.namedParameters()) {
      // transformers 5 leaves out the first part of the names in files.
      const stored = [...state.names()].find((one) => own.endsWith(one)) ?? own
      const want = await waveParameter(host, stored, t.shape).data()
      expect(await t.data(), own).toEqual(float16ToFloat32(float32ToFloat16(Float32Array.from(want))))
    }
  }
})

test('a variant is taken where there is one, and the plain file elsewhere', async () => {
  const plain = encodeSafetensors([{ name: 'plain', dtype: 'F32', shape: [1], data: Float32Array.of(1) }])
  const both = edited(files, { 'vae/diffusion_pytorch_model.safetensors': plain })
  await using half = await openCheckpoint(both, { variant: 'fp16' })
  expect([...(await half.component('vae').weights()).names()]).toContain('encoder.conv_in.weight')
  expect([...(await half.component('text_encoder').weights()).names()]).toContain('text_model.final_layer_norm.weight')
  await using full = await openCheckpoint(both)
  expect([...(await full.component('vae').weights()).names()]).toEqual(['plain'])
})

test('one model of a pipeline opens by itself, by the class in its configuration', async () => {
  await using vae = await openCheckpoint(join(folder, 'vae'))
  expect([vae.className, ...vae.components.keys()]).toEqual(['AutoencoderKL', 'vae'])
  await using text = await openCheckpoint(`${base}/text_encoder/`)
  expect([text.className, ...text.components.keys()]).toEqual(['CLIPTextModel', 'text_encoder'])
})

test('loading tells how far it is, in numbers of the model', async () => {
  const told: LoadProgress[] = []
  await using checkpoint = await openCheckpoint(files, { onProgress: (progress) => told.push(progress) })
  const { text } = models()
  await text.load(clipTextModel.names!(await checkpoint.component('text_encoder').weights()))
  expect(told).toHaveLength(text.parameters().length)
  expect(told.at(-1)).toEqual({ component: 'text_encoder', read: text.parameterCount, total: text.parameterCount })
})

test('a load that is aborted at any moment leaves nothing on the device, and its files are closed', async () => {
  for (const moment of [0, 1, 7, 40, 100]) {
    const [host, controller] = [new FakeHost(), new AbortController()]
    let read = 0
    await using checkpoint = await openCheckpoint(folder, {
      signal: controller.signal,
      onProgress: () => { if (++read > moment) controller.abort(new Error('enough')) },
    })
    const { config, weights } = checkpoint.component('unet')
    const model = unet2DCondition.build(placeholders(host), config, 1000)
    const before = host.memory().tensors
    await expect(model.load(await weights())).rejects.toThrow('enough')
    expect(host.memory().tensors).toBe(before)
  }
})

test('nothing is read once the signal is aborted', async () => {
  const controller = new AbortController()
  await using checkpoint = await openCheckpoint(files, { signal: controller.signal })
  const { text } = models()
  const weights = clipTextModel.names!(await checkpoint.component('text_encoder').weights())
  const before = text.state()
  controller.abort(new Error('enough'))
  await expect(text.load(weights)).rejects.toThrow('enough')
  expect(text.state()).toEqual(before)
  await expect(openCheckpoint(files, { signal: controller.signal })).rejects.toThrow('enough')
})

test.each<[string, Map<string, Uint8Array>, string]>([
  [
    'nothing of diffusers', new Map([['a.safetensors', new Uint8Array(9)]]),
    'got neither among a.safetensors; to open a.safetensors, pass the path of that file',
  ],
  [
    'an index that is no JSON', edited(files, { 'model_index.json': '<html>' }),
    'expected model_index.json in a Map of files to be an object of JSON, got "<html>"',
  ],
  ['an index without a class', edited(files, { 'model_index.json': '{}' }), 'expected _class_name in model_index.json'],
  [
    'a component that leads elsewhere',
    edited(files, { 'model_index.json': '{"_class_name":"P","../../etc":["diffusers","AutoencoderKL"]}' }), 'got "../../etc"',
  ],
  [
    'a configuration that is no object', edited(files, { 'unet/config.json': '[]' }),
    'expected unet/config.json in a Map of files to be an object of JSON',
  ],
])('%s is refused', async (_, source, message) => {
  await expect(openCheckpoint(source)).rejects.toThrow(CheckpointError)
  await expect(openCheckpoint(source)).rejects.toThrow(message)
})

test('a path to nothing, or to what only describes a folder, is refused with what to pass', async () => {
  const message = async (source: unknown): Promise<string> =>
    openCheckpoint(source as CheckpointSource).then(() => 'opened', (error: Error) => `${error.name}: ${error.message}`)
  expect(await message('stable-diffusion')).toContain('expected a folder or a file at "stable-diffusion", got none; check the path')
  expect(await message('owner/name')).toContain('or write hf:owner/name for a repository of Hugging Face')
  expect(await message(join(folder, 'model_index.json'))).toContain('pass the folder that it is in')
  for (const nothing of ['', undefined, 3]) expect(await message(nothing)).toMatch(/^ConfigError: .* expected the source to be a path/)
})

test('options that nobody knows are refused', async () => {
  await expect(openCheckpoint(files, { varaint: 'fp16' } as OpenCheckpointOptions)).rejects.toThrow(ConfigError)
})
