import { expect, test } from 'vitest'
import { weightedTexts } from './weights.ts'

test.each<[string, readonly (readonly [string, number])[]]>([
  ['a cat', [['a cat', 1]]],
  ['', []],
  ['a (red) cat', [['a ', 1], ['red', 1.1], [' cat', 1]]],
  ['a ((red)) cat', [['a ', 1], ['red', 1.1 * 1.1], [' cat', 1]]],
  ['(red:1.5) cat', [['red', 1.5], [' cat', 1]]],
  ['(a (red:2) cat:0.5)', [['a ', 0.5], ['red', 1], [' cat', 0.5]]],
  ['[dark] cat', [['dark', 1 / 1.1], [' cat', 1]]],
  ['a \\(red\\) cat', [['a (red) cat', 1]]],
  ['(unclosed [and more', [['unclosed ', 1.1], ['and more', 1.1 / 1.1]]],
  ['time: 12:30', [['time: 12:30', 1]]],
  ['closed) alone', [['closed) alone', 1]]],
  ['(none:0)', [['none', 0]]],
])('%s', (prompt, want) => {
  const got = weightedTexts(prompt)
  expect(got.map(({ text }) => text)).toEqual(want.map(([text]) => text))
  got.forEach(({ weight }, i) => { expect(weight).toBeCloseTo(want[i]![1], 12) })
})
