import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { chats, negate } from './index.ts'
import { alphaBars, expectCase, Leaves, type Measured, oracle, pairsOf, says, shape } from './testing/oracle.ts'
import { exchanged, pairsFrom, testObjective } from './testing/test-objective.ts'

testObjective('chats', {
  objective: chats<Tensor>({ beta: 1 }), batch: pairsFrom, opposite: exchanged, start: Math.LN2,
  networks: ({ trained, frozen }) => ({ chosen: trained(), rejected: trained(), reference: frozen() }),
  refused: [() => chats({ beta: 0 }), () => chats({} as never), () => chats({ beta: 1, scale: 1 } as never)],
})

const { numbers, expected } = oracle('chats')

/** With the networks, and what is theirs, as they are or having changed places. */
function measure(swapped: boolean): Measured {
  const leaves = new Leaves()
  const of = (name: string): Tensor => leaves.of(numbers[name] ?? [], shape)
  const [w, l] = [of('net_w'), of('net_l')]
  const order = swapped ? ['ref_l', 'ref_w'] : ['ref_w', 'ref_l']
  const frozen = leaves.of(order.flatMap((name) => numbers[name] ?? []), [6, ...shape.slice(1)])
  const networks = { chosen: says(swapped ? l : w), rejected: says(swapped ? w : l), reference: says(frozen) }
  const objective = chats<undefined>({ beta: 300 })
  const made = (swapped ? negate(objective) : objective).evaluate(networks, pairsOf(leaves, numbers, alphaBars))
  return leaves.measure(made, [w, l])
}

test('loss and gradients are those of the released script', () => {
  expectCase(measure(false), expected)
})

test('networks and samples that change places together change nothing', () => {
  expect(measure(true).loss).toBeCloseTo(expected.loss, 10)
})
