import { type Tensor, tensor } from '@antipode/core'
import { encodeSafetensors } from '@antipode/core/io'
import { adapterNames, type Module, placeholders } from '@antipode/core/nn'
import { FakeHost, interpret } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { CLIPTextModel, type CLIPTextConfig, CLIPTextModelWithProjection } from '../../clip/index.ts'
import { l1, near, waveParameter, waves } from '../../testing/index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../../unet/index.ts'
import golden from './adapter-files.golden.json' with { type: 'json' }
import { type AdapterComponent, loadAdapter } from './index.ts'

type Family = keyof typeof golden.configs
type Models = Readonly<Partial<Record<AdapterComponent, Module>>>

interface Case {
  readonly name: string
  readonly family: string
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: Readonly<Record<string, readonly number[]>>
  readonly alphas: Readonly<Record<string, number>>
  readonly outputs: Outputs
}
type Outputs = Readonly<Partial<Record<AdapterComponent, { readonly first8: readonly number[]; readonly absSum: number }>>>

async function filled<M extends Module>(model: M): Promise<M> {
  const host = model.device
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => (
    [name, waveParameter(host, name.replace(/^text_model\./, ''), t.shape)]
  ))))
  return model
}

async function modelsOf(family: Family): Promise<Models & { readonly unet: UNet2DConditionModel; readonly text_encoder: CLIPTextModel }> {
  const init = placeholders(new FakeHost())
  const text = golden.text as CLIPTextConfig
  return {
    unet: await filled(new UNet2DConditionModel(init, golden.configs[family] as UNet2DConfig)),
    text_encoder: await filled(new CLIPTextModel(init, text)),
    ...family === 'xl' && { text_encoder_2: await filled(new CLIPTextModelWithProjection(init, text)) },
  }
}

/** What each model gives, with its adapter on. */
function outputs(family: Family, models: Models): Map<AdapterComponent, Float64Array> {
  const outs = Object.entries(models).map(([component, base]): [AdapterComponent, Tensor] => {
    const host = base.device
    const model = base.with(adapterNames(base).includes('a') ? { a: 1 } : {})
    if (!(model instanceof UNet2DConditionModel)) {
      const out = (model as CLIPTextModel).forward(tensor(host, golden.ids, [1, golden.ids.length], { dtype: 'i32' }))
      return [component as AdapterComponent, out.textEmbeds ?? out.lastHiddenState]
    }
    const [sample, context] = [waves(host, 'input.sample', [1, 2, 4, 4], 0, 1), waves(host, 'input.ctx', [1, 3, golden.configs[family].cross_attention_dim], 0, 1)]
    const added = { textEmbeds: waves(host, 'input.text', [1, 6], 0, 1), timeIds: tensor(host, [4, 4, 0, 0, 4, 4], [1, 6]) }
    return [component as AdapterComponent, model.forward(sample, 500, { context, ...family === 'xl' && added })]
  })
  const values = interpret(outs.map(([, out]) => out))
  return new Map(outs.map(([component], k) => [component, values[k]!]))
}

async function fileOf({ tensors, alphas, metadata }: Case): Promise<Uint8Array<ArrayBuffer>> {
  const host = new FakeHost()
  const entries = Object.entries(tensors).map(([name, shape]) => (
    { name, dtype: 'F32' as const, shape, data: Float32Array.from(interpret([waveParameter(host, name, shape)])[0] ?? []) }
  ))
  const numbers = Object.entries(alphas).map(([name, alpha]) => ({ name, dtype: 'F32' as const, shape: [], data: Float32Array.of(alpha) }))
  return encodeSafetensors([...entries, ...numbers], metadata)
}

test.each(golden.cases as unknown as readonly Case[])('a file $name gives the outputs that it has there, in float64', async (stored) => {
  const family = stored.family as Family
  const models = await modelsOf(family)
  await loadAdapter(models, await fileOf(stored), { name: 'a' })
  const plain = golden.plain[family] as Outputs
  for (const [component, values] of outputs(family, models)) {
    const want = stored.outputs[component]!
    const scale = want.absSum / values.length
    want.first8.forEach((value, i) => { near(values[i], value, scale) })
    near(l1(values), want.absSum, want.absSum)
    const changed = Math.abs(want.absSum - plain[component]!.absSum) / want.absSum > 1e-4
    expect(adapterNames(models[component]!), component).toEqual(changed ? ['a'] : [])
  }
})
