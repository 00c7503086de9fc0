import { expect, test } from 'vitest'
import { CheckpointError, ConfigError, type Tensor } from '@antipode/core'
import { encodeSafetensors } from '@antipode/core/io'
import { type Initialiser, Linear, Module } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { loadModel } from '../files/index.ts'
import { rename } from '../keymaps/index.ts'
import { type ModelEntry, unet2DCondition } from './index.ts'

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
