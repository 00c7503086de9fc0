import { type Tensor, tensor, zeros } from '@antipode/core'
import { FakeHost, gradientGap, interpret, noise } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import type { Guider, Predictions } from '../index.ts'
import { closeTo } from './oracle.ts'

/** What holds of one guider and not of all. */
export interface GuiderFacts {
  /** Whether equal predictions come out as they are; true by default. */
  readonly keepsEqual?: boolean
  /** Whether scale 1 is the positive prediction; true by default. */
  readonly oneIsPositive?: boolean
  /** Scales to try, 0, 1.5 and 7.5 by default. */
  readonly scales?: readonly number[]
}

const shape = [3, 2, 4, 3]
/** Not the first call, where some do something of their own. */
const call = { step: 2, steps: 10, sigma: 2, nextSigma: 1, state: {} }

/** The laws of guidance, held by a guider of any scale. */
export function testGuider(name: string, make: (scale: number) => Guider, facts: GuiderFacts = {}): void {
  const { keepsEqual = true, oneIsPositive = true, scales = [0, 1.5, 7.5] } = facts
  const host = new FakeHost()
  const random = (seed: number, sizes = shape): Tensor => tensor(host, noise(sizes.reduce((a, b) => a * b), seed), sizes)
  const [positive, negative] = [random(1), random(2)]
  const read = (t: Tensor): number[] => [...interpret([t])[0] ?? []]
  const guide = (scale: number, predictions: Predictions): Tensor => make(scale).guide(predictions, call).prediction
  const row = (t: Tensor, b: number): Tensor => t.slice(0, b, b + 1)

  if (keepsEqual) {
    test(`${name} gives equal predictions as they are, at every scale`, () => {
      for (const scale of scales) closeTo(read(positive), read(guide(scale, { positive, negative: positive })))
    })
  }

  if (oneIsPositive) {
    test(`${name} of scale 1 is the positive prediction, for which the negative branch is not run`, () => {
      expect(make(1).active(call)).toBe(false)
      closeTo(read(positive), read(guide(1, { positive, negative })))
    })
  }

  test(`${name} treats every sample of a batch by itself`, () => {
    const together = guide(scales.at(-1)!, { positive, negative })
    for (const b of [0, 1, 2]) {
      closeTo(read(row(together, b)), read(guide(scales.at(-1)!, { positive: row(positive, b), negative: row(negative, b) })))
    }
  })

  test(`${name} has the gradients of central differences`, () => {
    const weights = random(3)
    const loss = guide(scales.at(-1)!, { positive, negative }).mul(weights).sum()
    expect(gradientGap(loss, { positive, negative }).relative).toBeLessThan(1e-6)
  })

  test(`${name} takes and gives f16, and what is flat or nothing makes nothing infinite`, () => {
    const none = zeros(host, shape, { dtype: 'f16' })
    for (const predictions of [
      { positive: positive.to('f16'), negative: negative.to('f16') },
      { positive: none, negative: negative.to('f16') }, { positive: positive.to('f16'), negative: none },
      { positive: none, negative: none }, { positive: none.add(1), negative: none.add(2) },
    ]) {
      const guided = guide(scales.at(-1)!, predictions)
      expect([guided.dtype, guided.shape]).toEqual(['f16', shape])
      expect(read(guided).every(Number.isFinite)).toBe(true)
    }
  })

  test(`${name} shows a prediction that is not a number, in its own sample`, () => {
    for (const spoilt of ['positive', 'negative'] as const) {
      const broken = { positive, negative, [spoilt]: tensor(host, noise(72, 1).fill(NaN, 0, 24), shape, { allowNonFinite: true }) }
      const got = read(guide(scales.at(-1)!, broken))
      expect(got.slice(0, 24).every(Number.isNaN)).toBe(true)
      expect(got.slice(24).every(Number.isFinite)).toBe(true)
    }
  })

  test(`${name} is pure`, () => {
    const guider = make(scales.at(-1)!)
    const [first, second] = [guider.guide({ positive, negative }, call), guider.guide({ positive, negative }, call)]
    expect(read(second.prediction)).toEqual(read(first.prediction))
    expect(call.state).toEqual({})
  })
}
