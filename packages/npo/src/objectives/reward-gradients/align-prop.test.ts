import { ConfigError } from '@antipode/core'
import { rng } from '@antipode/core/random'
import { expect, test } from 'vitest'
import { alignProp, randomTruncation } from '../index.ts'
import { expectCase, expectNames, expectRefusals, fixture, out, stoodAt } from './testing/fixture.ts'

test.each([true, false])('the gradient goes back to the cut, and cut before the last call is DRaFT-1; computed again: %s', (checkpoint) => {
  const f = fixture()
  expectCase(f, alignProp<undefined>({ ...f.options, checkpoint }), stoodAt(f, out.alignprop_random_trunc.cutoff), out.alignprop_random_trunc)
  expectCase(f, alignProp<undefined>({ ...f.options, checkpoint }), stoodAt(f, 4), out.draft_1)
})

test('cuts are drawn from all calls alike', () => {
  const random = rng(1)
  const graded = randomTruncation(4)
  const counts = Array.from({ length: 4000 }, () => graded(random)).reduce((all, k) => { all[k - 1]! += 1; return all }, [0, 0, 0, 0])
  // 1,000 expected of each, with a deviation of 27: five deviations.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(137)
  expect(() => randomTruncation(0)).toThrow(ConfigError)
})

test('negated twice it is itself, and options that are none are refused', () => {
  expectNames(alignProp<undefined>(fixture().options))
  expectRefusals(alignProp)
})
