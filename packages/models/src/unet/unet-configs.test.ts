import { expect, test } from 'vitest'
import { gradients, type Tensor, tensor } from '@antipode/core'
import { placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { near, type Numbers, numbersNear } from '../testing/index.ts'
import { addResiduals, type UNet2DCondition, type UNet2DConfig, UNet2DConditionModel } from './index.ts'
import golden from './unet-configs.golden.json' with { type: 'json' }

const host = new FakeHost()

/** Inputs of a golden run: numbers as they are, and for a shape, waves. */
interface Inputs {
  readonly sample: readonly number[]
  readonly context: readonly number[]
  readonly timesteps: readonly number[]
  readonly classLabels?: readonly number[]
  readonly textEmbeds?: readonly number[]
  readonly timeIds?: readonly number[]
  readonly timestepCond?: readonly number[]
  readonly residuals?: readonly (readonly number[])[]
  readonly middle?: readonly number[]
}

const given = (name: string, shape: readonly number[]): Tensor => waves(host, `input.${name}`, shape, 0, 1)

function conditionOf({ context, textEmbeds, timeIds, timestepCond, classLabels: labels }: Inputs): UNet2DCondition {
  const shapes = Object.entries({ context, textEmbeds, timeIds, timestepCond })
  const condition = Object.fromEntries(shapes.flatMap(([name, shape]) => (shape ? [[name, given(name, shape)]] : [])))
  if (!labels) return condition
  return { ...condition, classLabels: labels.length > 1 ? given('classLabels', labels) : tensor(host, labels, [1]) }
}

test.each(golden.cases)('$name: the model of diffusers, its output and its gradients', async (one) => {
  const { config, params, output, loss: wantLoss } = one
  const inputs = one.inputs as unknown as Inputs
  const wantGrads = Object.entries(one.grads as unknown as Record<string, Numbers>)
  const model = new UNet2DConditionModel(placeholders(host), config as unknown as UNet2DConfig)
  expect(model.parameterCount).toBe(params)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)])))
  const wrappers = inputs.residuals && addResiduals(model, {
    skips: inputs.residuals.map((shape, i) => given(`residuals.${i}`, shape)), middle: given('middle', inputs.middle!),
  })
  const [sample, timesteps] = [given('sample', inputs.sample), tensor(host, inputs.timesteps)]
  const out = model.forward(sample, timesteps, conditionOf(inputs), { wrappers })
  expect(out.shape).toEqual(output.shape)
  const loss = out.sub(waves(host, 'target', output.shape, 0, 1)).square().mean()
  const state = model.state()
  const slopes = gradients(loss, wantGrads.map(([name]) => state.get(name)!))
  const [values, lossValue, ...grads] = interpret([out, loss, ...slopes])
  numbersNear(values, output)
  near(lossValue?.[0], wantLoss, wantLoss)
  wantGrads.forEach(([, want], k) => { numbersNear(grads[k], want) })
})
