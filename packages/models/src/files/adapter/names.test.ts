import { placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { CLIPTextModel, CLIPTextModelWithProjection } from '../../clip/index.ts'
import { type UNet2DConfig, UNet2DConditionModel } from '../../unet/index.ts'
import { type AdapterComponent, components, targetsOf } from './components.ts'
import golden from './lora-names.golden.json' with { type: 'json' }
import { layersOf, placesOf } from './places.ts'
import { tensorsByLayer } from './tensors-by-layer.ts'
import { keyIn, layerNaming } from './written-names.ts'

type Family = keyof Omit<typeof golden, 'note'>
const families: readonly Family[] = ['sd15', 'sdxl']
const text = { vocab_size: 16, hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 2, projection_dim: 8 } as const

/** The models of a pipeline of a family: narrow, with all their layers. */
function modelsOf(family: Family): ReturnType<typeof targetsOf> {
  const init = placeholders(new FakeHost())
  return targetsOf('test', {
    unet: new UNet2DConditionModel(init, golden[family].config as UNet2DConfig),
    text_encoder: new CLIPTextModel(init, text),
    text_encoder_2: family === 'sdxl' ? new CLIPTextModelWithProjection(init, text) : undefined,
  })
}

/** The component and layer of PEFT's name of an A. */
function placeOf(peft: string): [AdapterComponent, string] {
  const [, component, layer] = /^(\w+)\.(.+)\.lora_A\.weight$/.exec(peft) ?? []
  return [component as AdapterComponent, layer ?? '']
}

test.each(families)('every layer of %s is found by the names of kohya-ss, of diffusers before PEFT, and of PEFT', (family) => {
  const places = placesOf(modelsOf(family))
  for (const [kohya = '', old = '', peft = ''] of golden[family].rows) {
    const [component, layer] = placeOf(peft)
    const up = (name: string): string => name.replace('lora_A', 'lora_B').replace(/down(?=\.weight)/, 'up')
    for (const a of [`${kohya}.lora_down.weight`, old, peft, peft.replace(/^(\w+)\./, 'base_model.model.$1.')]) {
      const { layers, strangers } = tensorsByLayer([a, up(a)], places)
      expect(strangers.size, a).toBe(0)
      expect(layers.get(component)?.get(layer), a).toMatchObject({ a, b: up(a) })
    }
    expect(tensorsByLayer([`${kohya}.alpha`], places).layers.get(component)?.get(layer)?.alpha).toBe(`${kohya}.alpha`)
  }
})

test.each(families)('kohya-ss\'s names of %s are written as it writes them, and each is another layer\'s', (family) => {
  const targets = modelsOf(family)
  const naming = layerNaming('kohya', targets, false)
  for (const [kohya = '', , peft = ''] of golden[family].rows) expect(naming(...placeOf(peft))).toBe(kohya)
  const unet = [...layersOf(targets.get('unet')!)].filter(([name, { weightShape }]) => weightShape.length > 1 && !/time|add_emb/.test(name))
  expect(unet).toHaveLength(golden[family].count)
  const all = [...targets].flatMap(([component, model]) => [...layersOf(model).keys()].map((layer) => naming(component, layer)))
  expect(new Set(all).size).toBe(all.length)
})

test.each(families)('names that each format writes for %s are read back to the same layers', (family) => {
  const targets = modelsOf(family)
  const places = placesOf(targets)
  for (const format of ['diffusers', 'kohya'] as const) {
    const naming = layerNaming(format, targets, false)
    for (const [component, model] of targets) {
      const names = [...layersOf(model)].filter(([, { weightShape }]) => weightShape.length > 1).map(([name]) => name)
      const stored = names.map((layer) => `${naming(component, layer)}.${keyIn(format, 'lora_A.weight')}`)
      const { layers, strangers } = tensorsByLayer(stored, places)
      expect([...layers.get(component)!.keys()]).toEqual(names)
      expect([strangers.size, ...components.filter((other) => other !== component).map((other) => layers.get(other)!.size)]).toEqual([0, 0, 0])
    }
  }
})

test('names without a component are a layer\'s where only one model has it', () => {
  const places = placesOf(modelsOf('sdxl'))
  const down = (stem: string): number => [...tensorsByLayer([`${stem}.lora_A.weight`], places).layers.values()].reduce((n, layers) => n + layers.size, 0)
  expect(down('down_blocks.1.attentions.0.proj_in')).toBe(1)
  expect(down('base_model.model.conv_in')).toBe(1)
  expect(down('text_projection')).toBe(1)
  expect(down('text_model.encoder.layers.0.mlp.fc1')).toBe(0)
  expect(down('encoder.layers.0.mlp.fc1')).toBe(0)
})

test('LDM\'s own names are read, as wrappers of PEFT and other programs have them', () => {
  const places = placesOf(modelsOf('sd15'))
  for (const prefix of ['base_model.model.model.diffusion_model.', 'model.diffusion_model.', 'diffusion_model.']) {
    const a = `${prefix}input_blocks.1.1.transformer_blocks.0.attn1.to_k.lora_A.default.weight`
    expect(tensorsByLayer([a], places).layers.get('unet')?.get('down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k')?.a).toBe(a)
  }
})
