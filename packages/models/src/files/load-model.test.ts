import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CheckpointError, ConfigError, type Tensor, tensor } from '@antipode/core'
import { encodeSafetensors, readSafetensors } from '@antipode/core/io'
import { type Initialiser, Linear, Module, placeholders, randomParameters } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { type UNet2DConfig, UNet2DConditionModel } from '../unet/index.ts'
import { loadModel, saveModel } from './index.ts'

const config: UNet2DConfig = {
  block_out_channels: [4], norm_num_groups: 2, layers_per_block: 1, in_channels: 1, out_channels: 1,
  down_block_types: ['DownBlock2D'], up_block_types: ['UpBlock2D'], mid_block_type: null,
}

const file = (stored: unknown, rename = (name: string) => name): Uint8Array<ArrayBuffer> => {
  const model = new UNet2DConditionModel(placeholders(new FakeHost()), config)
  const entries = [...model.namedParameters()].map(([name, { shape, size }]) => ({ name: rename(name), dtype: 'F32' as const, shape, data: new Float32Array(size) }))
  return encodeSafetensors(entries, { config: typeof stored === 'string' ? stored : JSON.stringify(stored) })
}

test.each<[string, Uint8Array<ArrayBuffer>]>([
  ['expected a configuration in JSON', file('{')],
  ['expected an object of options, got []', file([])],
  ['got layers_per_blok', file({ ...config, layers_per_blok: 1 })],
  ['expected _class_name to be "UNet2DConditionModel"', file({ ...config, _class_name: 'UNet2DModel' })],
  ['layers at most, as the file has no more tensors, got 1000000001', file({ ...config, layers_per_block: 1e9 })],
  ['layers at most, as the file has no more tensors', file({ ...config, transformer_layers_per_block: 1e9 })],
  ['1 missing: conv_in.bias; 1 unexpected: conv_in.bia', file(config, (name) => (name === 'conv_in.bias' ? 'conv_in.bia' : name))],
])('a file is refused by name: %s', async (message, bytes) => {
  const host = new FakeHost()
  const loading = loadModel(host, bytes)
  await expect(loading).rejects.toThrow(message)
  await expect(loading).rejects.toThrow(CheckpointError)
  expect(host.memory().tensors).toBe(0)
})

test('options that nobody knows and metadata that are written here are refused before anything is done', async () => {
  const host = new FakeHost()
  const model = await loadModel(host, file(config))
  expect(model.config).toEqual(config)
  await expect(loadModel(host, file(config), { dtype: 'i32' })).rejects.toThrow("loadModel: expected dtype to be 'f32' or 'f16' or 'bf16', got 'i32'")
  await expect(saveModel('/nowhere', model, { config: 'mine' })).rejects.toThrow(new ConfigError('saveModel: expected metadata without config, which is written here, got one; rename it'))
  await expect(saveModel('/nowhere', model, { seed: 1 as never })).rejects.toThrow('saveModel: expected metadata to be an object of strings')
  await expect(saveModel('/nowhere', model, {}, { type: 'f16' } as never)).rejects.toThrow('saveModel: expected options among dtype, digest, signal, got type')
})

test('a model saved with digests is told from a damaged one, where they are to be verified', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-model-'))
  try {
    const host = new FakeHost()
    const path = join(folder, 'model.safetensors')
    await saveModel(path, await loadModel(host, file(config)), {}, { digest: true })
    const bytes = new Uint8Array(readFileSync(path))
    expect((await loadModel(host, bytes, { verify: true })).config).toMatchObject(config)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await expect(loadModel(host, bytes, { verify: true })).rejects.toThrow(CheckpointError)
    expect((await loadModel(host, bytes)).config).toMatchObject(config)
    await expect(loadModel(host, file(config), { verify: true })).rejects.toThrow(/expected a file with digests to verify/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('parameters of integers are saved as they are, and come back, and weights may come back in blocks', async () => {
  class Small extends Module {
    readonly className = 'Small'
    readonly config = {}
    readonly layer: Linear
    readonly codes: Tensor
    constructor(init: Initialiser) {
      super()
      this.layer = Linear.of(init, 32, 2)
      this.codes = tensor(init.device, [7, 2 ** 31], [2], { dtype: 'u32' })
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'antipode-small-'))
  try {
    const [host, path] = [new FakeHost(), join(folder, 'small.safetensors')]
    const model = new Small(randomParameters(host, { seed: 1, dtype: 'f16' }))
    await saveModel(path, model, {}, { dtype: 'f16' })
    await using stored = await readSafetensors(path)
    expect(Object.fromEntries([...stored.tensors].map(([name, { dtype }]) => [name, dtype])))
      .toEqual({ 'layer.weight': 'F16', 'layer.bias': 'F16', codes: 'U32' })
    const models = [{ className: 'Small', build: (init: Initialiser) => new Small(init) }]
    const again = await loadModel(host, path, { models, dtype: 'f16', weights: 'q8_0' })
    expect([...await again.codes.data()]).toEqual([7, 2 ** 31])
    expect([again.layer.weight.dtype, again.layer.bias?.dtype]).toEqual(['q8_0', 'f16'])
    const rounded = tensor(host, await model.layer.weight.data(), [2, 32], { dtype: 'q8_0' })
    expect(await again.layer.weight.data()).toEqual(await rounded.data())
  } finally {
    rmSync(folder, { recursive: true })
  }
})
