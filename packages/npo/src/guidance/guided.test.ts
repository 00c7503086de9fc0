import { ConfigError, type Tensor } from '@antipode/core'
import { expect, test } from 'vitest'
import { apg, classifierFree, guided, interval } from './index.ts'
import { fixture, fresh, leaf, place, read } from './testing/oracle.ts'

test('where a guider does not act the negative branch is not run, and the state stays', () => {
  const refuse = (): never => { throw new ConfigError('the negative branch ran') }
  const positive = (x: Tensor): Tensor => x.mul(2)
  const guider = interval(apg({ scale: 3, momentum: 0.5 }), { start: 0.5 })
  const denoiser = guided<undefined>({ positive, negative: refuse, unconditional: refuse, guider })
  const [x, t] = [leaf(fixture.cond), leaf([1, 2], [2])]
  const state = { difference: x }
  const made = denoiser.call(x, t, undefined, { ...place, state })
  expect(made.state).toBe(state)
  expect(read(made.prediction)).toEqual(Float64Array.from(fixture.cond, (v) => 2 * v))
  expect(() => denoiser.call(x, t, undefined, { ...place, step: 5, state })).toThrow('the negative branch ran')
})

test('branches that are one denoiser are one pass of twice the batch', () => {
  let passes = 0
  const model = (x: Tensor, t: Tensor, c: Tensor): Tensor => {
    passes++
    return x.mul(t.unsqueeze(1)).add(c)
  }
  const other = (x: Tensor, t: Tensor, c: Tensor): Tensor => model(x, t, c)
  const [x, t, c] = [leaf([1, 2, 3, 4], [2, 2]), leaf([2, 3], [2]), leaf([10, 20, 30, 40], [2, 2])]
  const guider = classifierFree({ scale: 3 })
  const predict = (negative: typeof model): Float64Array => {
    const denoiser = guided<Tensor>({ positive: model, negative, unconditional: (all) => all.mul(0.5), guider })
    return read(denoiser.call(x, t, c, fresh).prediction)
  }
  const joined = predict(model)
  expect(passes).toBe(1)
  expect(predict(other)).toEqual(joined)
  expect(passes).toBe(3)
})

test('a branch that is lacking is asked for', () => {
  const lacking = { positive: (x: Tensor) => x, guider: classifierFree({ scale: 2 }) }
  expect(() => guided(lacking as never)).toThrow(/expected negative to be a function/)
})
