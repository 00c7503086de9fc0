import { describe, expect, test } from 'vitest'
import { armsOf } from './arms.ts'
import { ARMS, COMPARISONS } from './comparisons.ts'

describe('armsOf', () => {
  const arms = armsOf({ alpha: 1, beta: 1, reversal: 1.25 })
  const weights = Object.fromEntries(arms.map(({ id, positive, negative }) => [id, [positive, negative]]))

  test('has every arm that the comparisons name, once, base first', () => {
    expect(arms.map(({ id }) => id)).toEqual(Object.values(ARMS))
    expect(new Set(COMPARISONS.flat())).toEqual(new Set(arms.map(({ id }) => id)))
  })

  test('puts δ on the negative branch and η on the positive one', () => {
    expect(weights[ARMS.base]).toEqual([{}, {}])
    expect(weights[ARMS.npo]).toEqual([{}, { delta: 1 }])
    expect(weights[ARMS.dpo]).toEqual([{ eta: 1 }, { eta: 1 }])
    expect(weights[ARMS.merged]).toEqual([{ eta: 1 }, { eta: 1, delta: 1 }])
    expect(weights[ARMS.unmerged]).toEqual([{ eta: 1 }, { delta: 1 }])
    expect(armsOf({ alpha: 0.5, beta: 0.75, reversal: 1 }).find(({ id }) => id === ARMS.merged))
      .toMatchObject({ negative: { eta: 0.5, delta: 0.75 }, words: ['θ + η', 'θ + 0.5·η + 0.75·δ'] })
  })

  test('controls for the length of the step away: −η as long as δ, and a random offset', () => {
    expect(arms.filter(({ role }) => role === 'control').map(({ id }) => id)).toEqual([ARMS.extrapolation, ARMS.random])
    expect(weights[ARMS.extrapolation]).toEqual([{}, { eta: -1.25 }])
    expect(weights[ARMS.random]).toEqual([{}, { random: 1 }])
  })
})
