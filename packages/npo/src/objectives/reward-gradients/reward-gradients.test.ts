import { ConfigError, gradients, ShapeError, type Tensor, tensor } from '@antipode/core'
import { FakeHost, gradientGap, interpret, largestGap } from '@antipode/core/testing'
import { rng } from '@antipode/core/random'
import { ddim, dpmSolverMultistep, type Scheduler } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import type { Denoiser } from '../../denoiser.ts'
import { cfg } from '../../guidance/index.ts'
import { tensorLinear } from '../../sampling/index.ts'
import {
  alignProp, diffusionDpo, draft, draftLv, type ModelNetwork, negate, type PreferenceObjective, randomTruncation, refl, type RewardGradientOptions,
  type RolloutBatch, throughGuidance,
} from '../index.ts'
import { exactDdim } from '../testing/exact-ddim.ts'
import { Leaves } from '../testing/oracle.ts'
import golden from './testing/reward-gradients.golden.json' with { type: 'json' }

const { params, inputs, out } = golden.cases.reward_rollouts
const shape = [2, 2, 4, 4]
const alphaBars = Object.fromEntries([...params.timesteps.map((t, i) => [t, params.alphas_cumprod[i]] as const), [-1, 1]]) as Record<number, number>
const scheduler = exactDdim(alphaBars)
const steps = { timesteps: params.timesteps }
const meanOfEach = (x: Tensor): Tensor => x.reshape([x.shape[0] ?? 1, -1]).mean({ axes: 1 })

/** The fixture's network, its two weights and its guidance. */
function fixture() {
  const leaves = new Leaves()
  const [positive, negative] = [leaves.of([params.a_cond], [1]), leaves.of([params.a_uncond], [1])]
  const net = (a: Tensor): Denoiser<undefined> => (x, t) => x.mul(a).tanh().mul(t.div(1000).reshape([-1, 1, 1, 1]))
  const guided = cfg<undefined>({ positive: net(positive), negative: net(negative), unconditional: () => undefined, scale: params.guidance })
  const goal = leaves.of(inputs.goal, shape)
  const reward = (x: Tensor): Tensor => meanOfEach(x.sub(goal).square()).neg()
  return { leaves, weights: [positive, negative], net, guided, reward, options: { scheduler, reward } satisfies RewardGradientOptions<undefined> }
}

type Fixture = ReturnType<typeof fixture>

/** The fixture's run before some call, without gradients. */
function stoodAt({ leaves, guided }: Fixture, call: number): RolloutBatch<undefined> {
  let solver = scheduler.begin<Tensor>(steps)
  let sample = leaves.of(inputs.x_T, shape)
  while (solver.step < call) {
    const t = leaves.of([params.timesteps[solver.step]!, params.timesteps[solver.step]!], [2])
    const next = scheduler.step(tensorLinear, solver, guided(sample, t, undefined), sample)
    solver = next.state
    sample = leaves.of([...leaves.read(next.sample)], shape)
  }
  return { state: { sample, solver }, condition: undefined, noises: [] }
}

interface Expected {
  readonly loss: number
  readonly grad_a_cond: number
  readonly grad_a_uncond: number
}

function expectCase<B>(
  { leaves, guided, weights }: Fixture, objective: PreferenceObjective<B, ModelNetwork<undefined>>, batch: B, { loss, grad_a_cond, grad_a_uncond }: Expected,
): void {
  const got = leaves.measure(objective.evaluate({ model: guided }, batch), weights)
  const close = (value: number | undefined, want: number): void => {
    expect(Math.abs((value ?? Number.NaN) - want)).toBeLessThanOrEqual(1e-8 * Math.abs(want))
  }
  close(got.loss, loss)
  close(got.grads[0]?.[0], grad_a_cond)
  close(got.grads[1]?.[0], grad_a_uncond)
}

describe.each([true, false])('with what is kept computed again: %s', (checkpoint) => {
  test.each([1, 2, 5] as const)('the gradient goes back through the last %i steps', (last) => {
    const f = fixture()
    expectCase(f, draft<undefined>({ ...f.options, checkpoint }), stoodAt(f, 5 - last), out[`draft_${last}`])
  })

  test('AlignProp goes back to its cut, and cut before the last call is DRaFT-1', () => {
    const f = fixture()
    expectCase(f, alignProp<undefined>({ ...f.options, checkpoint }), stoodAt(f, out.alignprop_random_trunc.cutoff), out.alignprop_random_trunc)
    expectCase(f, alignProp<undefined>({ ...f.options, checkpoint }), stoodAt(f, 4), out.draft_1)
  })

  test('ReFL goes back through one estimate of the clean sample', () => {
    const f = fixture()
    expectCase(f, refl<undefined>({ ...f.options, checkpoint }), stoodAt(f, out.refl.mid_step), out.refl)
    // Negated, every reward is above 2: the mirror image would be a gradient.
    expectCase(f, negate(refl<undefined>({ ...f.options, checkpoint })), stoodAt(f, out.refl_npo.mid_step), out.refl_npo)
  })

  test('DRaFT-LV is a mean over noises, so that the same twice is once', () => {
    const f = fixture()
    const { leaves } = f
    const { state: { sample: samples } } = stoodAt(f, 5)
    const noises = [0, 1].map((k) => leaves.of(inputs.lv_noises.slice(64 * k, 64 * k + 64), shape))
    const batch = { samples, condition: undefined, solver: { ...scheduler.begin<Tensor>(steps), step: 4 }, noises }
    expectCase(f, draftLv<undefined>({ ...f.options, checkpoint }), batch, out.draft_lv)
    const of = (some: readonly Tensor[]) => {
      const { loss, grads } = leaves.measure(draftLv<undefined>(f.options).evaluate({ model: f.guided }, { ...batch, noises: some }), f.weights)
      return [loss, ...grads.map((g) => g[0] as number)]
    }
    const [once, twice] = [of(noises.slice(0, 1)), of([noises[0]!, noises[0]!])]
    once.forEach((value, i) => { expect(twice[i]).toBeCloseTo(value, 12) })
  })
})

test('with the reward of the other sign, a linear loss has the gradient of the other sign', () => {
  const f = fixture()
  const swapped = negate(draft<undefined>(f.options))
  expectCase(f, swapped, stoodAt(f, 4), out.reward_swap_npo)
  const { metrics } = f.leaves.measure(swapped.evaluate({ model: f.guided }, stoodAt(f, 4)), f.weights)
  expect(metrics['reward']).toBeCloseTo((out.draft_1.reward[0]! + out.draft_1.reward[1]!) / 2, 8)
  for (const made of [draft, alignProp, refl]) {
    const objective = made<undefined>(f.options)
    expect([objective.name, negate(objective).name, negate(negate(objective)).name]).toEqual([objective.name, `negated ${objective.name}`, objective.name])
  }
})

describe('through guidance', () => {
  test('the negative branch has (1 − w)/w times the gradient of the positive', () => {
    const { inputs: given, out: want, params: { guidance } } = golden.cases.reward_through_guidance_last_step
    const leaves = new Leaves()
    const of = (values: readonly number[]): Tensor => leaves.of(values, shape)
    const [positive, negative] = [of(given.eps_pos), of(given.eps_neg)]
    const goal = of(given.goal)
    const last: Scheduler = exactDdim({ 61: golden.cases.reward_through_guidance_last_step.params.alphas_cumprod, [-1]: 1 })
    const objective = throughGuidance(
      draft<undefined>({ scheduler: last, reward: (x) => meanOfEach(x.sub(goal).square()).neg() }),
      { positive: () => positive, unconditional: () => undefined, scale: guidance },
    )
    const batch = { state: { sample: of(given.x), solver: last.begin<Tensor>({ timesteps: [61] }) }, condition: undefined, noises: [] }
    const { loss, grads } = leaves.measure(objective.evaluate({ model: () => negative }, batch), [positive, negative])
    expect(Math.abs(loss / want.loss - 1)).toBeLessThan(1e-8)
    for (const [i, values] of [want.grad_eps_pos, want.grad_eps_neg].entries()) {
      const wanted = Float64Array.from(values)
      expect(largestGap(wanted, grads[i] ?? []) / Math.max(...wanted.map(Math.abs))).toBeLessThan(1e-8)
    }
  })

  test('over several steps the frozen branch carries the sample\'s gradient on, unless it is told not to', () => {
    const f = fixture()
    const [positive, negative] = f.weights as [Tensor, Tensor]
    const measured = (frozenBranchInputGrad?: boolean): number => {
      const options = { positive: f.net(positive), unconditional: () => undefined, scale: params.guidance }
      const objective = throughGuidance(draft<undefined>(f.options), frozenBranchInputGrad === undefined ? options : { ...options, frozenBranchInputGrad })
      return f.leaves.measure(objective.evaluate({ model: f.net(negative) }, stoodAt(f, 3)), [negative]).grads[0]?.[0] as number
    }
    expect(Math.abs(measured() / out.draft_2.grad_a_uncond - 1)).toBeLessThan(1e-8)
    expect(measured(true)).toBe(measured())
    expect(Math.abs(measured(false) / measured() - 1)).toBeGreaterThan(1e-3)
  })
})

/** A run of a multistep solver in float64, with a decoder, clipped estimates and fresh noise where the solver draws it. */
function toy(sampler: Scheduler, calls: number) {
  const host = new FakeHost()
  const wave = (seed: number, n: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(7 * seed + 3.7 * i * i))
  const leaf = (seed: number, n = 6): Tensor => tensor(host, wave(seed, n), n === 6 ? [2, 3] : [n])
  const [a, b, decoder] = [leaf(1, 3), leaf(2, 3), leaf(3, 3)]
  const model: Denoiser<Tensor> = (x, t, c) => x.mul(a).add(t.div(1000).unsqueeze(1).mul(b)).add(c).tanh()
  const batch: RolloutBatch<Tensor> = {
    state: { sample: leaf(4), solver: sampler.begin<Tensor>(calls) }, condition: leaf(5), noises: Array.from({ length: calls }, (_, k) => leaf(6 + k)),
  }
  const options: RewardGradientOptions<Tensor> = {
    scheduler: sampler, decode: (x) => x.mul(decoder).tanh(), reward: (x, c) => meanOfEach(x.sub(c).square()).neg(), x0: (x) => x.clamp(-1.5, 1.5),
  }
  return { host, model, batch, options, parameters: { a, b } }
}

test.each<[string, Scheduler]>([
  ['a multistep solver', dpmSolverMultistep({ betaSchedule: 'scaled_linear' })],
  ['DDIM with noise', ddim({ betaSchedule: 'scaled_linear', eta: 1, clipSample: false })],
])('as many steps as a run of %s has give its whole gradient', (_, sampler) => {
  const { model, batch, options, parameters } = toy(sampler, 3)
  for (const checkpoint of [true, false]) {
    const { loss } = draft<Tensor>({ ...options, checkpoint }).evaluate({ model }, batch)
    const gap = gradientGap(loss, parameters)
    expect(gap.relative, JSON.stringify(gap)).toBeLessThan(1e-6)
  }
})

test('a loss of one\'s own is of the rewards, whose sign alone is negated', () => {
  const { model, batch, options } = toy(ddim({ clipSample: false }), 2)
  const loss = (rewards: Tensor): Tensor => rewards.sub(1).abs()
  const [plain, negated, metric] = [draft<Tensor>({ ...options, loss }), negate(draft<Tensor>({ ...options, loss }))].flatMap((o) => {
    const made = o.evaluate({ model }, batch)
    return [made.loss, made.metrics['reward'] as Tensor]
  }).map((t) => interpret([t])[0]?.[0] as number) as [number, number, number]
  // Both rewards are below 0.
  expect(plain).toBeCloseTo(1 - negated, 12)
  expect(metric).toBeCloseTo(1 + negated, 12)
})

test('cuts are drawn from all calls alike', () => {
  const random = rng(1)
  const graded = randomTruncation(4)
  const counts = Array.from({ length: 4000 }, () => graded(random)).reduce((all, k) => { all[k - 1]! += 1; return all }, [0, 0, 0, 0])
  // 1,000 expected of each, with a deviation of 27: five deviations.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(137)
  expect(() => randomTruncation(0)).toThrow(ConfigError)
})

test('options that are none, rewards that are not one a sample and predictions of another shape are refused', () => {
  for (const made of [draft, alignProp, refl, draftLv]) {
    for (const wrong of [{}, { scheduler }, { scheduler, reward: 1 }, { scheduler, reward: meanOfEach, k: 1 }]) expect(() => made(wrong as never)).toThrow(ConfigError)
  }
  const { model, batch, options } = toy(ddim({ clipSample: false }), 1)
  expect(() => draft<Tensor>({ ...options, reward: (x) => x }).evaluate({ model }, batch)).toThrow(ShapeError)
  expect(() => draft<Tensor>(options).evaluate({ model: (x, t, c) => model(x, t, c).slice(1, 0, 1) }, batch)).toThrow(ShapeError)
})

describe('the memory of a step, as it is planned', () => {
  const host = new FakeHost()
  const [rows, width] = [512, 64]
  const weights = Array.from({ length: 4 }, (_, i) => tensor(host, Array.from({ length: width * width }, (_, k) => Math.sin(i + k)), [width, width]))
  const model: Denoiser<undefined> = (x) => weights.reduce((h, w) => h.matmul(w).silu(), x)
  const leaf = (): Tensor => tensor(host, Array<number>(rows * width).fill(0.5), [rows, width])
  const sampler = ddim({ clipSample: false })
  const peakOf = (loss: Tensor): number => {
    const { memory } = host.plan(loss, ...gradients(loss, weights))
    return memory.slots.reduce((sum, { bytes }) => sum + bytes, 0)
  }
  const peak = (graded: number, checkpoint: boolean): number => {
    const objective = draft<undefined>({ scheduler: sampler, reward: meanOfEach, checkpoint })
    const solver = { ...sampler.begin<Tensor>(10), step: 10 - graded }
    return peakOf(objective.evaluate({ model }, { state: { sample: leaf(), solver }, condition: undefined, noises: [] }).loss)
  }

  test('grows with the steps that are differentiated by as much each, and by two samples each where steps are computed again', () => {
    const [one, two, three, four] = [1, 2, 3, 4].map((k) => peak(k, false)) as [number, number, number, number]
    expect(two).toBeGreaterThan(one * 1.3)
    // Memory is taken by whole activations.
    expect(Math.abs(four - 2 * three + two)).toBeLessThanOrEqual(4 * rows * width)
    const again = [1, 2, 3, 4].map((k) => peak(k, true)) as [number, number, number, number]
    // A step keeps its sample and what was predicted of it.
    expect(again[3] - again[0]).toBeLessThanOrEqual(3 * 2 * 4 * rows * width)
    expect(again[3]).toBeLessThan(0.5 * four)
  })

  test('stays under 1.5 times that of a DPO step where steps are computed again', () => {
    const column = (): Tensor => tensor(host, Array<number>(rows).fill(0.5), [rows, 1])
    const pairs = {
      predictionType: 'epsilon' as const, timesteps: tensor(host, Array<number>(rows).fill(1)), alpha: column(), sigma: column(), noise: leaf(),
      chosen: leaf(), rejected: leaf(), condition: undefined,
    }
    const dpo = peakOf(diffusionDpo<undefined>({ beta: 1 }).evaluate({ model, reference: model }, pairs).loss)
    for (const graded of [1, 2, 4, 8]) expect(peak(graded, true) / dpo).toBeLessThan(1.5)
  })
})
