import { type Tensor, tensor } from '@antipode/core'
import { adapterNames, type AdapterWeights, type Module, placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { CLIPTextModel, type CLIPTextConfig, CLIPTextModelWithProjection } from '../../clip/index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../../unet/index.ts'
import golden from './adapter-files.golden.json' with { type: 'json' }
import type { AdapterComponent } from './index.ts'

export type Family = keyof typeof golden.configs

/** The models of a pipeline, with numbers by formula. */
export interface Models {
  readonly unet: UNet2DConditionModel
  readonly text_encoder: CLIPTextModel
  readonly text_encoder_2?: CLIPTextModelWithProjection
}

async function filled<M extends Module>(model: M): Promise<M> {
  const host = model.device
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => (
    [name, waveParameter(host, name.replace(/^text_model\./, ''), t.shape)]
  ))))
  return model
}

/** Small models of a family. */
export async function modelsOf(
  family: Family,
  dtype: 'f32' | 'f16' = 'f32',
  host: FakeHost = new FakeHost(),
): Promise<Models> {
  const init = placeholders(host, { dtype })
  const text = golden.text as CLIPTextConfig
  return {
    unet: await filled(new UNet2DConditionModel(init, golden.configs[family] as UNet2DConfig)),
    text_encoder: await filled(new CLIPTextModel(init, text)),
    ...family === 'xl' && { text_encoder_2: await filled(new CLIPTextModelWithProjection(init, text)) },
  }
}

/** What each model gives in float64, with the adapters that it has of these. */
export function outputs(
  models: Partial<Models>,
  weights: AdapterWeights = { a: 1 },
): Map<AdapterComponent, Float64Array> {
  const outs = Object.entries(models).map(([component, base]: [string, Module]): [AdapterComponent, Tensor] => {
    const host = base.device as FakeHost // as modelsOf makes them
    const own = Object.entries(weights).filter(([name]) => adapterNames(base).includes(name))
    const model = base.with(Object.fromEntries(own))
    const out = model instanceof CLIPTextModel ? encoded(host, model) : predicted(host, model as UNet2DConditionModel)
    return [component as AdapterComponent, out]
  })
  const values = interpret(outs.map(([, out]) => out))
  return new Map(outs.map(([component], k) => [component, values[k]!]))
}

function predicted(host: FakeHost, unet: UNet2DConditionModel): Tensor {
  const width = unet.config.cross_attention_dim as number
  const sample = waves(host, 'input.sample', [1, 2, 4, 4], 0, 1)
  const context = waves(host, 'input.ctx', [1, 3, width], 0, 1)
  const timeIds = tensor(host, [4, 4, 0, 0, 4, 4], [1, 6])
  const added = { textEmbeds: waves(host, 'input.text', [1, 6], 0, 1), timeIds }
  return unet.forward(sample, 500, { context, ...unet.addEmbedding && added })
}

function encoded(host: FakeHost, encoder: CLIPTextModel): Tensor {
  const out = encoder.forward(tensor(host, golden.ids, [1, golden.ids.length], { dtype: 'i32' }))
  return out.textEmbeds ?? out.lastHiddenState
}
