import { type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { merge } from './index.ts'
import golden from './weights.golden.json' with { type: 'json' }

test('both branches of merged low-rank offsets are those of the field', () => {
  const host = new FakeHost()
  const { params: { alpha, beta, scale_eta: ofEta, scale_delta: ofDelta }, inputs, out } = golden
  const leaf = (values: readonly number[], rows: number): Tensor => tensor(host, values, [rows, values.length / rows])
  const product = (b: readonly number[], a: readonly number[], rank: number): Map<string, Tensor> =>
    new Map([['w', leaf(b, 3).matmul(leaf(a, rank))]])
  const base = new Map([['w', leaf(inputs.W, 3)]])
  const eta = product(inputs.B_eta, inputs.A_eta, 2)
  const delta = product(inputs.B_delta, inputs.A_delta, 1)
  const positive = merge(base, [[ofEta, eta]])
  const negative = merge(base, [[alpha * ofEta, eta], [beta * ofDelta, delta]])
  for (const [merged, want] of [[positive, out.W_pos], [negative, out.W_neg]] as const) {
    const [got = []] = interpret([merged.get('w')!])
    for (const [i, value] of want.entries()) expect(got[i]).toBeCloseTo(value, 6)
  }
})
