import { expect, test } from 'vitest'
import { Device, evaluate } from '../index.ts'
import { relativeGap, trainingStep } from '../testing/index.ts'
import golden from './step.golden.json' with { type: 'json' }

test('one training step in a browser gives the golden numbers', async () => {
  const device = await Device.request()
  const step = trainingStep(device)
  await evaluate(...step.outputs.values())
  const expected = new Map<string, number[]>(Object.entries(golden))
  expect([...step.outputs.keys()]).toEqual([...expected.keys()])
  for (const [name, t] of step.outputs) {
    // As in Node: some twenty roundings of 6e-8 on the way there and back, and a step that divides by gradients.
    expect(relativeGap(await t.data(), expected.get(name) ?? []), name).toBeLessThan(5e-6)
  }
  step[Symbol.dispose]()
  expect(device.memory().tensors).toBe(0)
  await device[Symbol.asyncDispose]()
})
