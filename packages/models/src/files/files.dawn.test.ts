import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CheckpointError, Device, evaluate, randn, type Tensor } from '@antipode/core'
import { readSafetensors } from '@antipode/core/io'
import {
  adapterParameters, addAdapter, Conv2d, GroupNorm, Linear, lora, mergedState, Module, placeholders, randomParameters, setAdapter,
} from '@antipode/core/nn'
import { noise } from '@antipode/core/testing'
import { loadAdapter, loadModel, loadOffset, saveAdapter, saveModel } from './index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../unet/index.ts'

let device: Device
let folder: string
beforeAll(async () => {
  device = await Device.request()
  folder = await mkdtemp(join(tmpdir(), 'antipode-models-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await device[Symbol.asyncDispose]()
})

const config: UNet2DConfig = {
  in_channels: 1, out_channels: 1, block_out_channels: [8], down_block_types: ['DownBlock2D'], up_block_types: ['UpBlock2D'],
  mid_block_type: 'UNetMidBlock2D', add_attention: true, attention_head_dim: 8, norm_num_groups: 2, layers_per_block: 1,
}
const fresh = (seed: number): UNet2DConditionModel => new UNet2DConditionModel(randomParameters(device, { seed }), config)
const input = (): Tensor => randn(device, [1, 1, 4, 4], { seed: 9 })
const values = async (t: Tensor): Promise<Float32Array> => {
  const out = await t.data() as Float32Array
  t.dispose()
  return out
}
const gap = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((v, i) => Math.abs(v - (b[i] ?? Number.NaN))))

test('a model comes back from its file: to the bit in f32, within half a unit of f16 in f16', async () => {
  using model = fresh(1)
  const want = await values(model.forward(input(), 5))
  const path = join(folder, 'model.safetensors')
  await saveModel(path, model, { recipe: 'none' })
  await using file = await readSafetensors(path)
  expect(file.metadata).toEqual({ recipe: 'none', config: JSON.stringify({ _class_name: 'UNet2DConditionModel', ...config }) })
  using same = await loadModel(device, path)
  expect(same.config).toEqual({ _class_name: 'UNet2DConditionModel', ...config })
  expect(await values(same.forward(input(), 5))).toEqual(want)

  await saveModel(path, model, {}, { dtype: 'f16' })
  using half = await loadModel(device, path)
  const [from, to] = [model.state(), half.state()]
  for (const [name, t] of from) {
    const [a, b] = [await t.data(), await to.get(name)!.data()]
    // Parameters are at most 1 in size, where f16 is 2^-11 apart.
    expect(gap(a as Float32Array, b as Float32Array), `${name}`).toBeLessThanOrEqual(2 ** -12)
  }
})

test('a model is read straight into its memory: none is drawn before, and a load that fails in the middle gives all back', async () => {
  const path = join(folder, 'peak.safetensors')
  using model = fresh(1)
  await saveModel(path, model)
  const { live } = device.memory()
  device.resetPeak()
  using same = await loadModel(device, path)
  const taken = device.memory().live - live
  expect(taken).toBeGreaterThanOrEqual(4 * same.parameterCount)
  expect(device.memory().peak - live).toBe(taken)
  const [before, file] = [device.memory(), await readSafetensors(path)]
  let left = 10
  const broken = { ...file, read: async (name: string) => {
    if (left-- === 0) throw new CheckpointError('cut short')
    return file.read(name)
  } }
  await expect(same.load(broken)).rejects.toThrow('cut short')
  expect(device.memory()).toMatchObject({ live: before.live, tensors: before.tensors })
})

test('a file without configuration, or for another one, is refused', async () => {
  using model = fresh(1)
  addAdapter(model, 'dpo', lora({ rank: 2, targets: /to_q/ }))
  const path = join(folder, 'adapter.safetensors')
  await saveAdapter(path, model, { name: 'dpo' })
  await expect(loadModel(device, path)).rejects.toThrow(CheckpointError)
  const before = device.memory().tensors
  using wider = new UNet2DConditionModel(placeholders(device), { ...config, block_out_channels: [16] })
  await expect(loadAdapter(wider, path, { name: 'dpo' })).rejects.toThrow(/mid_block\.attentions\.0\.to_q/)
  expect(device.memory().tensors).toBe(before)
})

test('an adapter comes back from its file with its strength', async () => {
  using model = fresh(1)
  addAdapter(model, 'dpo', lora({ rank: 2, alpha: 1, targets: /to_q|conv1/, seed: 2 }))
  const trained = new Map([...adapterParameters(model, 'dpo')].map(([name, t], i) => [name, randn(device, t.shape, { seed: 20 + i })]))
  await evaluate(...trained.values())
  setAdapter(model, 'dpo', trained, { alpha: 1 })
  const want = await values(model.with({ dpo: 1 }).forward(input(), 5))
  const path = join(folder, 'adapter.safetensors')
  await saveAdapter(path, model, { name: 'dpo', metadata: { by: 'test' } })
  await using file = await readSafetensors(path)
  expect([...file.tensors.keys()]).toContain('mid_block.attentions.0.to_q.lora_A.weight')
  expect(file.metadata).toEqual({ by: 'test', lora_adapter_metadata: expect.stringContaining('"r":2,"lora_alpha":1,') as unknown })
  await loadAdapter(model, path, { name: 'again' })
  expect(await values(model.with({ again: 1 }).forward(input(), 5))).toEqual(want)
  expect(gap(await values(model.forward(input(), 5)), want)).toBeGreaterThan(1e-3)
})

/** A layer of each kind that carries changes. */
class Layers extends Module {
  readonly conv: Conv2d
  readonly norm: GroupNorm
  readonly head: Linear
  constructor(seed: number) {
    super()
    const init = randomParameters(device, { seed, dtype: 'f16' })
    this.conv = Conv2d.of(init, 1, 8, 3, { padding: 1 })
    this.norm = GroupNorm.of(init, 2, 8)
    this.head = Linear.of(init, 4, 8)
  }
  forward(x: Tensor): Tensor {
    return this.head.forward(this.norm.forward(this.conv.forward(x.to('f16')))).to('f32')
  }
}

test('in half precision an adapter, and the offset of a whole checkpoint, give what weights with them in do', async ({ skip }) => {
  if (!device.target.f16) skip()
  using model = new Layers(1)
  using other = new Layers(2)
  addAdapter(model, 'dpo', lora({ rank: 2, targets: /./ }))
  for (const [i, t] of [...adapterParameters(model, 'dpo').values()].entries()) t.write(noise(t.size, i))
  const beside = await values(model.with({ dpo: 0.8 }).forward(input()))
  const folded = await values(model.withParameters(mergedState(model, { dpo: 0.8 })).forward(input()))
  await loadOffset(model, other.state(), { name: 'other' })
  const offset = await values(model.with({ other: 1 }).forward(input()))
  const want = await values(other.forward(input()))
  // Outputs of about 1 in f16, which keeps 3.3 digits. Measured: 2.3e-3 and 1.8e-3.
  expect(Math.max(gap(beside, folded), gap(offset, want))).toBeLessThan(1e-2)
  expect(gap(beside, want)).toBeGreaterThan(0.5)
})

test('everything is given back', () => {
  expect(device.memory().tensors).toBe(0)
})
