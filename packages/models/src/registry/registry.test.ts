import { expect, test } from 'vitest'
import { CheckpointError, ConfigError, type Tensor } from '@antipode/core'
import { encodeSafetensors } from '@antipode/core/io'
import { type Initialiser, Linear, Module, randomParameters } from '@antipode/core/nn'
import { FakeHost, interpret, waves } from '@antipode/core/testing'
import { AutoencoderKL } from '../autoencoder/index.ts'
import { ControlNetModel } from '../unet/index.ts'
import { loadModel } from '../files/index.ts'
import { rename } from '../keymaps/index.ts'
import { autoencoderKL, controlNet, type ModelEntry, unet2DCondition } from './index.ts'

/** A model of another package: nothing here knows it. */
class Judge extends Module {
  readonly className = 'Judge'
  readonly config: { readonly width?: number }
  readonly head: Linear
  constructor(init: Initialiser, config: { readonly width?: number }) {
    super()
    this.config = config
    this.head = Linear.of(init, config.width ?? 1, 1)
  }
  forward(x: Tensor): Tensor {
    return this.head.forward(x)
  }
}

const judge: ModelEntry<Judge> = {
  className: 'Judge',
  build(init, config) {
    if ('depth' in config) throw new ConfigError('Judge: expected no depth')
    return new Judge(init, config)
  },
  names: (source) => rename(source, (name) => name.replace(/^score\./, 'head.')),
}

const file = (config: object, prefix = 'score'): Uint8Array<ArrayBuffer> => encodeSafetensors([
  { name: `${prefix}.weight`, dtype: 'F32', shape: [1, 2], data: Float32Array.of(2, 3) },
  { name: `${prefix}.bias`, dtype: 'F32', shape: [1], data: Float32Array.of(4) },
], { config: JSON.stringify(config) })

test('a class from outside is found by the name in its configuration, and reads its own older names', async () => {
  const host = new FakeHost()
  const model = await loadModel(host, file({ _class_name: 'Judge', width: 2 }), { models: [unet2DCondition, judge] })
  expect(model).toBeInstanceOf(Judge)
  expect([...model.state().keys()]).toEqual(['head.weight', 'head.bias'])
  const again = await loadModel(host, file({ _class_name: 'Judge', width: 2 }, 'head'), { models: [judge] })
  expect([...await again.head.weight.data()]).toEqual([2, 3])
})

test('a class that is not among those given is refused by name, and so is a configuration that its class refuses', async () => {
  const host = new FakeHost()
  await expect(loadModel(host, file({ _class_name: 'Judge' }))).rejects.toThrow(new CheckpointError(
    'loadModel: expected _class_name to be "UNet2DConditionModel", got "Judge"; pass its entry in models',
  ))
  await expect(loadModel(host, file({ _class_name: 'Judge', depth: 1 }), { models: [judge] })).rejects.toThrow('expected a configuration of this model in the header; Judge: expected no depth')
  expect(host.memory().tensors).toBe(0)
})

test('a load that fails in the middle of a file leaves nothing on the device', async () => {
  const host = new FakeHost()
  const upload = host.uploadBytes.bind(host)
  let left = 1
  host.uploadBytes = (...args) => {
    if (left-- === 0) throw new CheckpointError('no room')
    return upload(...args)
  }
  await expect(loadModel(host, file({ _class_name: 'Judge', width: 2 }), { models: [judge] })).rejects.toThrow('no room')
  expect(host.memory().tensors).toBe(0)
})

test('an autoencoder whose attention has the names of early diffusers loads by the name of its class', async () => {
  const host = new FakeHost()
  const config = { block_out_channels: [4], down_block_types: ['DownEncoderBlock2D'], up_block_types: ['UpDecoderBlock2D'], norm_num_groups: 2, layers_per_block: 1 } as const
  const made = new AutoencoderKL(randomParameters(host, { seed: 1 }), config)
  const early = { to_q: 'query', to_k: 'key', to_v: 'value', 'to_out.0': 'proj_attn' } as const
  const entries = await Promise.all(Array.from(made.state(), async ([name, t]) => ({
    name: name.replace(/to_[qkv]|to_out\.0/, (now) => early[now as keyof typeof early]), dtype: 'F32' as const, shape: t.shape, data: await t.data() as Float32Array<ArrayBuffer>,
  })))
  expect(entries.filter(({ name }) => /query|proj_attn/.test(name))).toHaveLength(8)
  const bytes = encodeSafetensors(entries, { config: JSON.stringify({ _class_name: 'AutoencoderKL', ...config }) })
  const loaded = await loadModel(host, bytes, { models: [unet2DCondition, autoencoderKL] })
  expect(loaded).toBeInstanceOf(AutoencoderKL)
  for (const [name, t] of made.state()) expect(await loaded.state().get(name)?.data()).toEqual(await t.data())
  // Copies decode as the model does.
  const z = waves(host, 'z', [1, 4, 2, 2], 0, 1)
  expect(interpret([made.with({}).decode(z)])).toEqual(interpret([(loaded as AutoencoderKL).decode(z)]))
})

test('a ControlNet loads by the name of its class, unless it has more layers than its file has tensors', async () => {
  const host = new FakeHost()
  const config = {
    block_out_channels: [4], down_block_types: ['DownBlock2D'], mid_block_type: 'UNetMidBlock2D', norm_num_groups: 2, layers_per_block: 1,
    conditioning_embedding_out_channels: [2],
  } as const
  const made = new ControlNetModel(randomParameters(host, { seed: 1 }), config)
  const entries = await Promise.all(Array.from(made.state(), async ([name, t]) => ({
    name, dtype: 'F32' as const, shape: t.shape, data: await t.data() as Float32Array<ArrayBuffer>,
  })))
  const load = (fields: object): Promise<ControlNetModel> => loadModel(
    host, encodeSafetensors(entries, { config: JSON.stringify({ _class_name: 'ControlNetModel', ...config, ...fields }) }), { models: [controlNet] },
  )
  expect(await load({})).toBeInstanceOf(ControlNetModel)
  await expect(load({ layers_per_block: 1e9 })).rejects.toThrow(`ControlNetModel: expected ${entries.length} layers at most`)
})
