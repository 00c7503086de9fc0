import { test } from 'vitest'
import { negate, refl } from '../index.ts'
import { expectCase, expectNames, expectRefusals, fixture, out, stoodAt } from './testing/fixture.ts'

test.each([true, false])('the gradient goes back through one estimate of the clean sample; computed again: %s', (checkpoint) => {
  const f = fixture()
  expectCase(f, refl<undefined>({ ...f.options, checkpoint }), stoodAt(f, out.refl.mid_step), out.refl)
  // Negated, every reward is above 2: the mirror image would be a gradient.
  expectCase(f, negate(refl<undefined>({ ...f.options, checkpoint })), stoodAt(f, out.refl_npo.mid_step), out.refl_npo)
})

test('negated twice it is itself, and options that are none are refused', () => {
  expectNames(refl<undefined>(fixture().options))
  expectRefusals(refl)
})
