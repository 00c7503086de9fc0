import { expect, test } from 'vitest'
import { Device, evaluate } from '../index.ts'
import { FakeHost, interpret, relativeGap, trainingStep } from '../testing/index.ts'
import golden from './step.golden.json' with { type: 'json' }

const expected = new Map<string, number[]>(Object.entries(golden))

test('the golden numbers of a training step are its interpretation in float64', () => {
  const { outputs } = trainingStep(new FakeHost())
  const values = interpret([...outputs.values()])
  expect([...outputs.keys()]).toEqual([...expected.keys()])
  // They are written with nine digits.
  ;[...outputs.keys()].forEach((name, k) => { expect(relativeGap(values[k] ?? [], expected.get(name) ?? []), name).toBeLessThan(1e-8) })
})

test('one training step on this adapter gives the golden numbers', async () => {
  const device = await Device.request()
  const step = trainingStep(device)
  await evaluate(...step.outputs.values())
  for (const [name, t] of step.outputs) {
    // Some twenty roundings of 6e-8 on the way there and back, and a step that divides by gradients of 1e-3 and more.
    expect(relativeGap(await t.data(), expected.get(name) ?? []), name).toBeLessThan(5e-6)
  }
  step[Symbol.dispose]()
  expect(device.memory().tensors).toBe(0)
  await device[Symbol.asyncDispose]()
})
