import { gradients, type Tensor, tensor } from '@antipode/core'
import { adapterParameters, addAdapter, lora, mergedState, type Module, removeAdapter } from '@antipode/core/nn'
import { type FakeHost, interpret, noise } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { loraTargets } from '../../lora-targets.ts'
import golden from './adapter-files.golden.json' with { type: 'json' }
import { modelsOf, outputs } from './testing.ts'

/** Puts a pair on layers of a model, as if trained. */
function adapt(model: Module, targets: RegExp): Map<string, Tensor> {
  addAdapter(model, 'a', lora({ rank: 2, alpha: 3, targets }))
  let seed = 1
  const parameters = adapterParameters(model, 'a')
  for (const t of parameters.values()) t.write(noise(t.size, seed++).map((v) => v / 4))
  return parameters
}

test('the targets of the field are the layers that its scripts train', async () => {
  const { unet, text_encoder: text } = await modelsOf('sd')
  const layers = (model: Module, targets: RegExp): Set<string> => {
    const names = [...adapt(model, targets).keys()].map((name) => name.replace(/\.lora_.*$/, '').replace(/\d+/g, 'N'))
    removeAdapter(model, 'a')
    return new Set(names.map((name) => name.split('.').slice(-2).join('.')))
  }
  expect(layers(unet, loraTargets.attention)).toEqual(new Set(['attnN.to_q', 'attnN.to_k', 'attnN.to_v', 'to_out.N']))
  expect(layers(unet, loraTargets.transformers)).toEqual(new Set(['attnN.to_q', 'attnN.to_k', 'attnN.to_v', 'to_out.N', 'N.proj_in', 'N.proj_out', 'N.proj', 'net.N']))
  const convolutions = layers(unet, loraTargets.convolutions)
  for (const layer of ['N.convN', 'N.conv_shortcut', 'N.time_emb_proj', 'N.conv', 'N.proj_in']) expect(convolutions).toContain(layer)
  expect(layers(text, loraTargets.textEncoder)).toEqual(new Set(['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.out_proj', 'mlp.fcN']))
})

test('an adapter on a text encoder is trained: its gradients equal differences of the loss', async () => {
  const { text_encoder: model } = await modelsOf('sd')
  const host = model.device as FakeHost
  const parameters = adapt(model, loraTargets.textEncoder)
  expect(parameters.size).toBe(2 * 2 * 6)
  const ids = tensor(host, golden.ids, [1, golden.ids.length], { dtype: 'i32' })
  const loss = (): Tensor => model.with({ a: 1 }).forward(ids).lastHiddenState.square().mean()
  const own = [...parameters.values()]
  const slopes = interpret(gradients(loss(), own))
  for (const [k, t] of own.entries()) {
    const values = await t.data() as Float32Array
    const [i, step] = [t.size >> 1, 2 ** -12]
    const at = (by: number): number => {
      t.write(values.map((v, j) => (j === i ? v + by : v)))
      return interpret([loss()])[0]![0]!
    }
    const difference = (at(step) - at(-step)) / (2 * step)
    t.write(values)
    // Steps of f32 parameters: exact to their rounding, and the curve's third derivative times their square.
    expect(Math.abs(slopes[k]![i]! - difference)).toBeLessThan(1e-4 * Math.max(1e-3, Math.abs(difference)))
  }
})

test('an adapter that is folded into the weights gives what it gives beside them', async () => {
  const models = await modelsOf('sd')
  for (const [component, targets] of [['unet', loraTargets.convolutions], ['text_encoder', loraTargets.textEncoder]] as const) {
    const model: Module = models[component]
    adapt(model, targets)
    const [beside] = outputs({ [component]: model }, { a: 0.8 }).values()
    const [folded] = outputs({ [component]: model.withParameters(mergedState(model, { a: 0.8 })) }, {}).values()
    const scale = beside!.reduce((sum, v) => sum + Math.abs(v), 0) / beside!.length
    const gap = beside!.reduce((most, v, i) => Math.max(most, Math.abs(v - folded![i]!)), 0) / scale
    expect(gap).toBeLessThan(1e-12)
  }
})
