import { gradients, type Tensor, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { type Numbers, numbersNear } from '../testing/index.ts'
import golden from './clip-configs.golden.json' with { type: 'json' }
import { CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionModelWithProjection } from './index.ts'

const host = new FakeHost()
const classes = { CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionModelWithProjection }
const drawn = /(token_embedding|position_embedding)\.weight$|class_embedding$/

test.each(golden.cases)('$name: the tower of transformers, its states and its gradients', async (one) => {
  const { class: kind, config, inputs, params } = one
  const model = new classes[kind as keyof typeof classes](placeholders(host), config as never)
  expect(model.parameterCount).toBe(params)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [
    name, drawn.test(name) ? waves(host, name, t.shape, 0, 0.5) : waveParameter(host, name, t.shape),
  ])))
  const { image_size: side = 0, num_channels: channels = 3 } = config as { image_size?: number; num_channels?: number }
  const given = typeof inputs === 'number'
    ? waves(host, 'input.pixels', [inputs, channels, side, side], 0, 1)
    : tensor(host, inputs.flat(), [inputs.length, inputs[0]!.length], { dtype: 'i32' })
  const out = model.forward(given)
  const embeds = 'imageEmbeds' in out ? out.imageEmbeds : out.textEmbeds ?? out.pooled
  const states: Readonly<Record<string, Tensor>> = {
    last: out.lastHiddenState, first: out.hiddenStates[0]!, penultimate: out.hiddenStates.at(-2)!, embeds,
    pooled: out.pooled,
  }
  const wanted = Object.entries(one.outputs as unknown as Record<string, Numbers>)
  const wantGrads = Object.entries(one.grads as unknown as Record<string, Numbers>)
  const loss = embeds.sub(waves(host, 'target', embeds.shape, 0, 1)).square().mean()
  const parameters = wantGrads.map(([name]) => model.state().get(name)!)
  const got = interpret([...wanted.map(([name]) => states[name]!), ...gradients(loss, parameters)])
  for (const [k, [, want]] of [...wanted, ...wantGrads].entries()) numbersNear(got[k], want)
})
