import type { Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { autoguidance, classifierFree, perturbed } from './index.ts'
import { cases, closeTo, fixture, leaf, once, read } from './testing/oracle.ts'

test('a worse model of the same condition is moved away from alone, or beside a negative one', () => {
  const { params: { scale }, out } = cases.autoguidance
  const [x, t] = [leaf(fixture.cond), leaf([1, 2], [2])]
  const told: unknown[] = []
  const worse = (_x: Tensor, _t: Tensor, c: string): Tensor => {
    told.push(c)
    return leaf(fixture.bad)
  }
  const denoise = autoguidance({ model: (x: Tensor) => x, worse: worse as never, scale })
  closeTo(out.pred, read(denoise(x, t, 'a cat' as never)))
  expect(told).toEqual(['a cat'])
  const both = perturbed(classifierFree({ scale: 7.5 }), { scale: scale - 1 })
  closeTo(out.cfg_plus_autoguidance, once(both, 'base', fixture.bad))
  closeTo(cases.npo_plus_autoguidance.out.pred, once(both, 'npo', fixture.bad))
})
