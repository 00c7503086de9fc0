import { gradients, type Tensor, tensor } from '@antipode/core'
import { type Initialiser, type Module, placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { l1, near, sum } from '../testing/index.ts'
import golden from './clip.golden.json' with { type: 'json' }
import { CLIPTextModel, type CLIPTextConfig, CLIPTextModelWithProjection, type CLIPVisionConfig, CLIPVisionModelWithProjection } from './index.ts'

const host = new FakeHost()

/** A model with the parameters of the golden runs. @param strip what their names lack */
async function made<M extends Module>(build: (init: Initialiser) => M, strip = ''): Promise<M> {
  const model = build(placeholders(host))
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => {
    const known = name.replace(strip, '')
    return [name, /embedding\.weight$|class_embedding$/.test(name) && !name.includes('patch') ? waves(host, known, t.shape, 0, 0.5) : waveParameter(host, known, t.shape)]
  })))
  return model
}
const ids = (rows: readonly (readonly number[])[]): Tensor => tensor(host, rows.flat(), [rows.length, rows[0]!.length], { dtype: 'i32' })

interface Golden {
  readonly params: number
  readonly output: { readonly shape: readonly number[]; readonly absSum: number; readonly sum: number; readonly first8: readonly number[] }
  readonly loss: number
  readonly paramGrads: Readonly<Record<string, { readonly l1: number; readonly first4: readonly number[] }>>
}

/** @param prefix what the parameters' names have here before those of the golden run */
function expectGolden(model: Module, out: Tensor, { params, output, loss: wantLoss, paramGrads }: Golden, prefix = ''): void {
  expect(model.parameterCount).toBe(params)
  expect(out.shape).toEqual(output.shape)
  const loss = out.sub(waves(host, 'target', output.shape, 0, 1)).square().mean()
  const state = model.state()
  const [values, lossValue, ...grads] = interpret([out, loss, ...gradients(loss, Object.keys(paramGrads).map((name) => state.get(prefix + name) as Tensor))]) as [Float64Array, Float64Array, ...Float64Array[]]
  output.first8.forEach((want, i) => { near(values[i], want, output.absSum / values.length) })
  near(sum(values), output.sum, output.absSum)
  near(l1(values), output.absSum, output.absSum)
  near(lossValue[0], wantLoss, wantLoss)
  Object.values(paramGrads).forEach((want, k) => {
    near(l1(grads[k]!), want.l1, want.l1)
    want.first4.forEach((value, i) => { near(grads[k]![i], value, want.l1 / grads[k]!.length) })
  })
}

test('in float64 the text tower has the hidden states, loss and gradients of transformers', async () => {
  const { clip_text_tiny: one } = golden.models
  const model = await made((init) => new CLIPTextModel(init, one.config as CLIPTextConfig), 'text_model.')
  expectGolden(model, model.forward(ids(one.inputs.input_ids)).lastHiddenState, one, 'text_model.')
})

test('prompts are pooled at their first end and projected', async () => {
  const { clip_text_projection_tiny: one } = golden.models
  const model = await made((init) => new CLIPTextModelWithProjection(init, one.config as CLIPTextConfig))
  expectGolden(model, model.forward(ids(one.inputs.input_ids)).textEmbeds as Tensor, one)
})

test('in float64 the vision tower has the embeddings, loss and gradients of transformers', async () => {
  const { clip_vision_projection_tiny: one } = golden.models
  const model = await made((init) => new CLIPVisionModelWithProjection(init, one.config as CLIPVisionConfig))
  expectGolden(model, model.forward(waves(host, 'input.pixel_values', one.inputs.pixel_values, 0, 1)).imageEmbeds, one)
})

test('the two encoders of Stable Diffusion XL give the contexts and pooled prompts of its pipeline', async () => {
  const [first, second] = golden.prompts.encoders as [CLIPTextConfig, CLIPTextConfig]
  const one = await made((init) => new CLIPTextModel(init, first))
  const two = await made((init) => new CLIPTextModelWithProjection(init, second))
  for (const text of golden.prompts.texts) {
    const padded = (pad: number): Tensor => ids([[...text.ids, ...new Array<number>(77 - text.ids.length).fill(pad)]])
    const [a, b] = [one.forward(padded(546)), two.forward(padded(0))]
    const expected = [text.last_hidden_state, text['hidden_states[-2]'], text['enc2_hidden_states[-2]'], text.enc2_pooled]
    const got = interpret([a.lastHiddenState, a.hiddenStates.at(-2)!, b.hiddenStates.at(-2)!, b.textEmbeds as Tensor])
    expected.forEach((want, k) => {
      const values = got[k]!
      want.first4.forEach((value, i) => { near(values[i], value, want.absMean) })
      near(l1(values) / values.length, want.absMean, want.absMean)
    })
  }
})

test('an end of 2, as old files have it, pools at the largest id', async () => {
  const { config } = golden.models.clip_text_tiny
  const model = await made((init) => new CLIPTextModel(init, { ...config, eos_token_id: 2 } as CLIPTextConfig))
  const { pooled, lastHiddenState } = model.forward(ids([[0, 5, 31, 3, 31, 1, 1, 1], [31, 2, 2, 2, 2, 2, 2, 2]]))
  const [got, states] = interpret([pooled, lastHiddenState]) as [Float64Array, Float64Array]
  ;[2 * 24, 8 * 24].forEach((start, row) => { for (let d = 0; d < 24; d++) expect(got[row * 24 + d]).toBeCloseTo(states[start + d]!, 12) })
})

test('the towers have the parameters of their checkpoints', () => {
  const init = placeholders(host)
  const large = new CLIPTextModel(init, { hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12, num_attention_heads: 12, hidden_act: 'quick_gelu', projection_dim: 768 })
  expect([large.parameters().length, large.parameterCount]).toEqual([196, 123_060_480])
  const bigG = new CLIPTextModelWithProjection(init, { hidden_size: 1280, intermediate_size: 5120, num_hidden_layers: 32, num_attention_heads: 20, hidden_act: 'gelu', projection_dim: 1280 })
  expect([bigG.parameters().length, bigG.parameterCount]).toEqual([517, 694_659_840])
})

// What transformers writes without leaving out defaults, and what old files have of its generation.
test("fields that change nothing are taken, as files of transformers have them", () => {
  const whole = {
    _name_or_path: '', architectures: null, chunk_size_feed_forward: 0, dtype: null, id2label: { 0: 'LABEL_0' }, is_encoder_decoder: false,
    label2id: { LABEL_0: 0 }, model_type: 'clip_text_model', problem_type: null, return_dict: true, is_decoder: false, pruned_heads: {}, top_k: 50,
  }
  expect(new CLIPTextModel(placeholders(host), { ...golden.models.clip_text_tiny.config, ...whole } as CLIPTextConfig).resolved.width).toBe(24)
})

test.each<[object, string]>([
  [{ model_type: 'bert' }, 'model_type'],
  [{ hidden_act: 'relu' }, 'hidden_act'],
  [{ hidden_size: 30, num_attention_heads: 4 }, 'expected num_attention_heads that divides hidden_size, got 4 for 30'],
  [{ hiden_size: 3 }, 'hiden_size'],
  [{ is_decoder: true }, 'is_decoder'],
  [{ pruned_heads: { 0: [1] } }, 'pruned_heads'],
  [{ attention_dropout: 0.1 }, 'attention_dropout'],
  [{ hidden_act: 'gelu_new' }, 'hidden_act'],
])('a configuration with %j is refused by name', (config, text) => {
  expect(() => new CLIPTextModel(placeholders(host), config)).toThrow(text)
})

test('prompts of more tokens than positions and images of another size are refused', async () => {
  const text = await made((init) => new CLIPTextModel(init, golden.models.clip_text_tiny.config as CLIPTextConfig))
  expect(() => text.forward(ids([[0, 1, 2, 3, 4, 5, 6, 7, 8]]))).toThrow('CLIPTextModel: expected token ids [B,N] with N of at most 8, got [1,9]')
  const vision = await made((init) => new CLIPVisionModelWithProjection(init, golden.models.clip_vision_projection_tiny.config as CLIPVisionConfig))
  expect(() => vision.forward(waves(host, 'x', [1, 3, 32, 32], 0, 1))).toThrow('expected images [B,3,28,28], got [1,3,32,32]')
})
