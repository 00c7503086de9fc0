import { CheckpointError, ConfigError, type Tensor } from '@antipode/core'
import { adapterNames, adapterParameters, Linear, Module, randomParameters, removeAdapter } from '@antipode/core/nn'
import { FakeHost, waveParameter } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { loadOffset } from './index.ts'
import { type Models, modelsOf, outputs } from './testing.ts'

/** Other weights for a model, all but those of some layers. */
function tuned(model: Module, same = /time_emb_proj/): Map<string, Tensor> {
  return new Map([...model.state()].map(([name, t]) => (
    [name, waveParameter(model.device as FakeHost, same.test(name) ? name.replace(/^text_model\./, '') : `tuned.${name}`, t.shape)]
  )))
}

const largest = (a: Float64Array, b: Float64Array): number => a.reduce((most, v, i) => Math.max(most, Math.abs(v - (b[i] ?? NaN))), 0)
const only = (models: Partial<Models>, weights: Record<string, number> = {}): Float64Array => [...outputs(models, weights).values()][0]!

test.each([['unet', 'f32', 1e-6], ['text_encoder', 'f32', 1e-6], ['text_encoder', 'f16', 1e-2]] as const)('with the offset of a whole checkpoint a %s is the checkpoint\'s, in %s', async (component, dtype, bound) => {
  const model = (await modelsOf('sd', dtype))[component]
  const file = tuned(model)
  const plain = only({ [component]: model })
  await loadOffset(model, file, { name: 'dpo' })
  expect(only({ [component]: model })).toEqual(plain)
  const want = only({ [component]: model.withParameters(file) })
  expect(largest(want, plain)).toBeGreaterThan(0.1)
  // What rounds is the difference; outputs are of about 1. Measured: 3e-7 in f32, and 3e-3 in f16.
  expect(largest(only({ [component]: model }, { dpo: 1 }), want)).toBeLessThan(bound)
  expect(adapterParameters(model, 'dpo').values().next().value?.dtype).toBe(dtype)
})

test('layers that the file leaves as they are carry nothing', async () => {
  const { text_encoder: model } = await modelsOf('sd')
  await loadOffset(model, tuned(model, /^(?!.*(1\.mlp\.fc1\.bias|final_layer_norm\.weight))/), { name: 'dpo' })
  const carried = ['encoder.layers.1.mlp.fc1.diff', 'encoder.layers.1.mlp.fc1.diff_b', 'final_layer_norm.diff']
  expect([...adapterParameters(model, 'dpo').keys()]).toEqual(carried.map((name) => `text_model.${name}`))
  await expect(loadOffset(model, tuned(model, /./), { name: 'dpo' })).rejects.toThrow('expected weights other than the model has, got the same')
  expect(adapterParameters(model, 'dpo').size).toBe(3)
})

test('of weights in blocks the difference is to what they stand for', async () => {
  const host = new FakeHost()
  class One extends Module {
    readonly layer = Linear.of(randomParameters(host, { seed: 1, weights: 'q8_0' }), 32, 4)
  }
  const model = new One()
  const file = new Map([...model.state()].map(([name, { shape }]) => [name, waveParameter(host, name, shape)]))
  await loadOffset(model, file, { name: 'dpo', dtype: 'f32' })
  const x = waveParameter(host, 'x', [2, 32])
  const apart = model.with({ dpo: 1 }).layer.forward(x).sub(model.withParameters(file).layer.forward(x))
  expect(model.layer.weight.dtype).toBe('q8_0')
  expect(await apart.abs().max().item()).toBeLessThan(1e-6)
})

test('half of an offset is the mean of both models\' weights', async () => {
  const { text_encoder: model } = await modelsOf('sd')
  const file = tuned(model)
  await loadOffset(model, file, { name: 'dpo' })
  const mean = new Map([...model.state()].map(([name, t]) => [name, t.add(file.get(name)!).mul(0.5)]))
  expect(largest(only({ text_encoder: model }, { dpo: 0.5 }), only({ text_encoder: model.withParameters(mean) }))).toBeLessThan(1e-6)
})

/** A model with a parameter that no layer multiplies by. */
class Odd extends Module {
  readonly token: Tensor
  readonly head: Linear
  constructor(host: FakeHost) {
    super()
    const init = randomParameters(host, { seed: 1 })
    this.token = init.normal([3], 1)
    this.head = Linear.of(init, 3, 2)
  }
}

test('a parameter that cannot carry a change has to be as it is', async () => {
  const host = new FakeHost()
  const model = new Odd(host)
  const file = new Map([...model.state()].map(([name, t]) => [name, waveParameter(host, name, t.shape)]))
  const before = host.memory().tensors
  await expect(loadOffset(model, file, { name: 'a' })).rejects.toThrow('expected token to be as the model has it, as it cannot carry a change')
  expect(host.memory().tensors).toBe(before)
  await loadOffset(model, new Map([...file, ['token', model.token]]), { name: 'a' })
  expect([...adapterParameters(model, 'a').keys()]).toEqual(['head.diff', 'head.diff_b'])
})

test('what does not fit, or ends in the middle, leaves the model as it was', async () => {
  const host = new FakeHost()
  const { text_encoder: model } = await modelsOf('sd', 'f32', host)
  const file = tuned(model)
  const before = host.memory().tensors
  const { 'text_model.final_layer_norm.bias': _, ...rest } = Object.fromEntries(file)
  await expect(loadOffset(model, new Map(Object.entries(rest)), { name: 'a' })).rejects.toThrow('1 missing: text_model.final_layer_norm.bias')
  await expect(loadOffset(model, file, { name: '' })).rejects.toThrow(ConfigError)
  await expect(loadOffset(model, file, { name: 'a', signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  const evaluate = host.evaluate.bind(host)
  let left = 40
  host.evaluate = async (tensors) => {
    if (left-- === 0) throw new CheckpointError('no room')
    return evaluate(tensors)
  }
  await expect(loadOffset(model, file, { name: 'a' })).rejects.toThrow('no room')
  host.evaluate = evaluate
  expect([adapterNames(model), host.memory().tensors]).toEqual([[], before])
  await loadOffset(model, file, { name: 'a' })
  removeAdapter(model, 'a')
  expect(host.memory().tensors).toBe(before)
})
