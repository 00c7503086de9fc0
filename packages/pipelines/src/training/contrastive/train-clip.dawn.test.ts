import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Device } from '@antipode/core'
import { ema } from '@antipode/core/optim'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { retrieval, trainClip } from './index.ts'
import { shapes, smallClip } from './testing/shapes.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const data = shapes()
const options = { batch: 8, learningRate: 3e-3, shift: 1, warmup: 4, seed: 2 }

test('a small CLIP learns in sixty steps which of all captions is that of each of eight pictures', async () => {
  using models = smallClip(device, data)
  expect(await retrieval(models, data, { among: 8 })).toBeLessThan(0.5)
  const losses: number[] = []
  for await (const { loss } of trainClip(models, data, { ...options, steps: 60 })) losses.push(loss)
  // Knowing nothing is a loss of about ln 8 = 2.08.
  expect(losses[0]).toBeGreaterThan(1.8)
  expect(losses.at(-1)).toBeLessThan(0.5)
  // A picture has two of the sixteen captions, of which one competes.
  expect(await retrieval(models, data, { among: 15 })).toBe(1)
  expect(await models.logitScale.item()).not.toBeCloseTo(Math.log(1 / 0.07), 4)
})

test('a run that is interrupted goes on to the same weights and averages as one that is not, to the bit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-clip-'))
  try {
    /** Losses, and all weights and averages at the end. */
    const run = async (name: string, stopAt = Infinity): Promise<{ losses: number[]; numbers: number[] }> => {
      using models = smallClip(device, data)
      using averages = ema(0.5)
      const controller = new AbortController()
      const checkpoint = { path: join(folder, `${name}.safetensors`), every: 100, recipe: 'shapes' }
      const losses: number[] = []
      try {
        for await (const { step, loss } of trainClip(models, data, {
          ...options, steps: 7, ema: averages, checkpoint, resume: existsSync(checkpoint.path),
          signal: controller.signal,
        })) {
          losses.push(loss)
          if (step === stopAt) controller.abort(new Error('enough'))
        }
      } catch (error) {
        expect((error as Error).message).toBe('enough')
      }
      const numbers: number[] = []
      const { text, vision, logitScale } = models
      const averaged = [...averages.averages()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, t]) => t)
      const all = [...text.parameters(), ...vision.parameters(), logitScale, ...averaged]
      for (const t of all) numbers.push(...await t.data())
      return { losses, numbers }
    }
    const whole = await run('whole')
    const [first, rest] = [await run('parts', 3), await run('parts')]
    expect([first.losses.length, rest.losses.length]).toEqual([4, 3])
    expect([...first.losses, ...rest.losses]).toEqual(whole.losses)
    expect(rest.numbers).toEqual(whole.numbers)
    expect(first.numbers).not.toEqual(whole.numbers)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
