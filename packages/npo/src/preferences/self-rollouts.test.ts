import { ConfigError, gradients, type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret, largestGap } from '@antipode/core/testing'
import { ddim } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import type { Denoiser } from '../denoiser.ts'
import { type SelfNpoBatch, selfNpo } from '../objectives/index.ts'
import golden from '../objectives/self-npo/testing/self-npo.golden.json' with { type: 'json' }
import { exactDdim } from '../objectives/testing/exact-ddim.ts'
import { Leaves } from '../objectives/testing/oracle.ts'
import { runEnd, selfGrid, selfRollouts, truncatedRuns } from './self-rollouts.ts'

const { params, inputs, out } = golden
const shape = [4, 2, 4, 4]
const alphaBars: Record<number, number> = {
  ...Object.fromEntries(params.grid.map((t, i) => [t, inputs.alphas_cumprod_grid[i]!])),
  ...Object.fromEntries(inputs.sampled_s.map((t, i) => [t, inputs.alphas_cumprod_s[i]!])),
  0: inputs.alphas_cumprod_0, [-1]: inputs.alphas_cumprod_0,
}

/** The fixture's network; its condition is the weight of each sample. */
const net: Denoiser<Tensor> = (x, t, a) => x.mul(a).tanh().mul(t.div(1000).reshape([-1, 1, 1, 1]))

function runs(leaves: Leaves, { rows = [0, 1, 2, 3], variant = 'per-sample' as 'per-sample' | 'released', omega = params.omega } = {}): SelfNpoBatch<Tensor> {
  const part = (values: readonly number[]): Tensor =>
    leaves.of(rows.flatMap((r) => values.slice(32 * r, 32 * r + 32)), [rows.length, ...shape.slice(1)])
  const weight = (a: number): Tensor => leaves.of(rows.map(() => a), [rows.length, 1, 1, 1])
  const unconditional = weight(params.a_uncond)
  return truncatedRuns(
    part(inputs.z), [part(inputs.noise_start), part(inputs.noise_renoise)], weight(params.a_cond),
    { starts: rows.map((r) => inputs.k[r]!), noised: rows.map((r) => inputs.sampled_s[r]!) },
    { teacher: net, unconditional: () => unconditional, omega, scheduler: exactDdim(alphaBars), variant },
  )
}

/** Coefficients of steps are rounded to f32. */
const rounding = 2e-7

const near = (got: Float64Array, want: readonly number[]): void => {
  expect(largestGap(Float64Array.from(want), got) / Math.max(...want.map(Math.abs))).toBeLessThan(rounding)
}

describe('on the numbers of the released loop', () => {
  test.each(['per-sample', 'released'] as const)('runs end, are judged and noised again as they are there: %s', (variant) => {
    const leaves = new Leaves()
    const batch = runs(leaves, { variant })
    near(leaves.read(batch.target), out.target)
    near(leaves.read(batch.sample), out.x_s)
    expect(inputs.k.map((k) => runEnd(k, 5))).toEqual(out.t_end)
    expect(selfGrid).toEqual(params.grid)
  })

  test('the loss on them and its gradient are theirs', () => {
    const leaves = new Leaves()
    const batch = runs(leaves)
    const a = leaves.of([params.a_student], [1])
    const student: Denoiser<Tensor> = (x, t) => net(x, t, a)
    const got = leaves.measure(selfNpo<Tensor>().evaluate({ model: student }, batch), [a])
    expect(Math.abs(got.loss / out.loss - 1)).toBeLessThan(rounding)
    expect(Math.abs((got.grads[0]?.[0] ?? 0) / out.grad_a_student - 1)).toBeLessThan(rounding)
    const squared = leaves.measure(selfNpo<Tensor>({ loss: 'squared' }).evaluate({ model: student }, batch), [a])
    expect(Math.abs(squared.loss / out.l2_loss - 1)).toBeLessThan(rounding)
    expect(got.metrics['error']).toBe(squared.loss)
  })
})

test('judged one by one, what becomes of a sample does not depend on the others of its batch, as it does when released', () => {
  const leaves = new Leaves()
  const targets = (rows: readonly number[], variant: 'per-sample' | 'released'): Float64Array =>
    leaves.read(runs(leaves, { rows: [...rows], variant }).target).slice(0, 64)
  near(targets([0, 1], 'per-sample'), out.target.slice(0, 64))
  // With all runs ended the released loop stops before the sample of k = 3 is judged at t = 0.
  const alone = targets([0, 1], 'released')
  near(alone.slice(0, 32), out.target.slice(0, 32))
  expect(largestGap(alone.slice(32), Float64Array.from(out.target.slice(32, 64)))).toBeGreaterThan(1e-6)
})

test('ω\' moves the teacher\'s estimate away from its unconditional one, and 0 leaves it', () => {
  const leaves = new Leaves()
  const told: unknown[] = []
  const counted = (omega: number): number => {
    told.length = 0
    const condition = leaves.of([1], [1, 1, 1, 1])
    const z = leaves.of(inputs.z.slice(0, 32), [1, 2, 4, 4])
    truncatedRuns(z, [z, z], condition, { starts: [24], noised: [900] }, {
      teacher: (x, t, c) => { told.push(c); return net(x, t, c) }, unconditional: () => leaves.of([0.5], [1, 1, 1, 1]), omega, scheduler: exactDdim(alphaBars),
    })
    return told.length
  }
  expect([counted(-1), counted(0), counted(-5)]).toEqual([6, 6, 12])
  const [away, mixed] = [runs(leaves, { omega: 0 }), runs(leaves, { omega: -5 })].map(({ target }) => leaves.read(target)) as [Float64Array, Float64Array]
  expect(largestGap(away, mixed)).toBeGreaterThan(1e-3)
})

const scheduler = ddim({ clipSample: false, setAlphaToOne: false })

test('noised again, the end of a run has the variance of the forward process where it had it before', () => {
  // A teacher that says 0 keeps √ᾱ'/√ᾱ of the sample: for z of variance 0 and unit noise it is σ²·ᾱ'/ᾱ.
  const host = new FakeHost()
  const zeros = tensor(host, Array<number>(8).fill(0), [2, 4])
  const ones = tensor(host, Array<number>(8).fill(1), [2, 4])
  const silent: Denoiser<undefined> = (x) => x.mul(0)
  const { alphasCumprod } = scheduler.schedule as { alphasCumprod: Float32Array }
  const [start, s] = [10, 700]
  const run = (noises: readonly [Tensor, Tensor]): Float64Array => interpret([truncatedRuns(
    zeros, noises, undefined, { starts: [start, start], noised: [s, s] }, { teacher: silent, unconditional: () => undefined, scheduler, moves: 0 },
  ).sample])[0] as Float64Array
  const [first, second] = [run([ones, zeros])[0]!, run([zeros, ones])[0]!]
  expect(first ** 2 + second ** 2).toBeCloseTo(1 - alphasCumprod[s]!, 6)
})

test('nothing flows back into what the teacher computed, and batches are a function of their number', async () => {
  const leaves = new Leaves()
  const a = leaves.of([0.8], [1])
  const batch = truncatedRuns(
    leaves.of(inputs.z, shape), [leaves.of(inputs.z, shape), leaves.of(inputs.z, shape)], undefined, { starts: [0, 3, 9, 24], noised: [100, 300, 680, 900] },
    { teacher: (x, t) => net(x, t, a), unconditional: () => undefined, scheduler: exactDdim(alphaBars) },
  )
  const { loss } = selfNpo<undefined>().evaluate({ model: (x, t) => net(x, t, leaves.of([0.7], [1])) }, batch)
  expect([...leaves.read(gradients(loss, [a])[0] as Tensor)]).toEqual([0])
  for (const options of [{ huber: 0 }, { loss: 'l1' }, { h: 1 }]) expect(() => selfNpo(options as never)).toThrow(ConfigError)
  const given = { teacher: net, unconditional: () => a, scheduler, samples: () => ({ samples: a, condition: a }), seed: 1 }
  for (const wrong of [{ seed: -1 }, { moves: 0.5 }, { variant: 'batch' }, { omega: Number.NaN }, { k: 5 }]) {
    expect(() => selfRollouts(new FakeHost(), { ...given, ...wrong } as never)).toThrow(ConfigError)
  }
})
