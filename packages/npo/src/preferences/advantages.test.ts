import { ConfigError, NumericError } from '@antipode/core'
import { expect, test } from 'vitest'
import golden from '../objectives/transitions/testing/transitions.golden.json' with { type: 'json' }
import { groupAdvantages, promptStatistics } from './index.ts'

const { inputs: { prompts, rewards }, out } = golden.cases.advantages

function near(got: ArrayLike<number>, want: readonly number[]): void {
  expect(got).toHaveLength(want.length)
  want.forEach((value, i) => { expect(got[i]).toBeCloseTo(value, 9) })
}

test('advantages of groups are those of the released scripts', () => {
  near(groupAdvantages(rewards, prompts, { rule: 'ddpo' }), out.ddpo_per_prompt)
  near(groupAdvantages(rewards, prompts, { rule: 'flow-grpo' }), out.flow_grpo_group)
  near(groupAdvantages(rewards, prompts, { rule: 'flow-grpo', globalStd: true }), out.flow_grpo_global_std)
  near(groupAdvantages(rewards.map((r) => -r), prompts, { rule: 'flow-grpo' }), out.npo_flow_grpo_group)
  // Deviations by n − 1: √1.5 times those of three.
  const dance = groupAdvantages(rewards, prompts, { rule: 'dance-grpo' })
  expect((dance[0] ?? 0) * Math.sqrt(1.5)).toBeCloseTo(out.ddpo_per_prompt[0]!, 4)
})

test('groups of equal rewards have advantages of exactly 0, whatever the rule, and so has a group of one', () => {
  for (const rule of ['ddpo', 'flow-grpo', 'dance-grpo'] as const) {
    expect([...groupAdvantages([0.1, 0.1, 0.1, 7], ['a', 'a', 'a', 'b'], { rule })]).toEqual([0, 0, 0, 0])
  }
})

test('prompts with a history count on their own, others by the round, and the history goes on', () => {
  const statistics = promptStatistics({ size: 4, least: 3 })
  near(statistics.update(['a', 'a', 'b'], [1, 3, 2]), [-1, 1, 0].map((v) => v / (Math.sqrt(2 / 3) + 1e-6)))
  // Of a: 1, 3, 5, 7; of b: 2 and 0, too few.
  const next = statistics.update(['a', 'b', 'a'], [5, 0, 7])
  near(next, [1 / (Math.sqrt(5) + 1e-6), -4 / (Math.sqrt(26 / 3) + 1e-6), 3 / (Math.sqrt(5) + 1e-6)])
  const resumed = promptStatistics({ size: 4, least: 3 }, JSON.parse(JSON.stringify(statistics.state())) as never)
  const [one, other] = [statistics.update(['a', 'b'], [2, 2]), resumed.update(['a', 'b'], [2, 2])]
  expect(one).toEqual(other)
  expect(statistics.state()).toEqual({ a: [3, 5, 7, 2], b: [2, 0, 2] })
})

test('what is no reward a group is refused', () => {
  expect(() => groupAdvantages([1], [], { rule: 'ddpo' })).toThrow(ConfigError)
  expect(() => groupAdvantages([1], ['a'], { rule: 'ppo' as never })).toThrow(ConfigError)
  expect(() => groupAdvantages([Number.NaN], ['a'], { rule: 'ddpo' })).toThrow(NumericError)
  expect(() => promptStatistics({ size: 0 })).toThrow(ConfigError)
})
