import { ConfigError, type Tensor, tensor } from '@antipode/core'
import { FakeHost } from '@antipode/core/testing'
import type { Scheduler } from '@antipode/schedulers'
import { expect } from 'vitest'
import type { Denoiser } from '../../../denoiser.ts'
import { cfg } from '../../../guidance/index.ts'
import { tensorLinear } from '../../../sampling/index.ts'
import type { ModelNetwork, PreferenceObjective, RewardGradientOptions, RolloutBatch } from '../../index.ts'
import { exactDdim } from '../../testing/exact-ddim.ts'
import { Leaves } from '../../testing/oracle.ts'
import golden from './reward-gradients.golden.json' with { type: 'json' }

type Rollouts = typeof golden.cases.reward_rollouts
export const params: Rollouts['params'] = golden.cases.reward_rollouts.params
export const inputs: Rollouts['inputs'] = golden.cases.reward_rollouts.inputs
export const out: Rollouts['out'] = golden.cases.reward_rollouts.out
export const shape: readonly number[] = [2, 2, 4, 4]
const alphaBars = Object.fromEntries([...params.timesteps.map((t, i) => [t, params.alphas_cumprod[i]] as const), [-1, 1]]) as Record<number, number>
/** DDIM on the fixture's levels, by its formula. */
export const scheduler: Scheduler = exactDdim(alphaBars)
export const steps: { readonly timesteps: readonly number[] } = { timesteps: params.timesteps }

/** Means of samples, `[B]`. */
export function meanOfEach(x: Tensor): Tensor {
  return x.reshape([x.shape[0] ?? 1, -1]).mean({ axes: 1 })
}

/** The fixture's network, its two weights, its guidance and its reward. */
export interface Fixture {
  readonly leaves: Leaves
  readonly weights: readonly [positive: Tensor, negative: Tensor]
  readonly net: (a: Tensor) => Denoiser<undefined>
  readonly guided: Denoiser<undefined>
  readonly options: RewardGradientOptions<undefined>
}

/** Another one each time. */
export function fixture(): Fixture {
  const leaves = new Leaves()
  const [positive, negative] = [leaves.of([params.a_cond], [1]), leaves.of([params.a_uncond], [1])]
  const net = (a: Tensor): Denoiser<undefined> => (x, t) => x.mul(a).tanh().mul(t.div(1000).reshape([-1, 1, 1, 1]))
  const guided = cfg<undefined>({ positive: net(positive), negative: net(negative), unconditional: () => undefined, scale: params.guidance })
  const goal = leaves.of(inputs.goal, shape)
  const reward = (x: Tensor): Tensor => meanOfEach(x.sub(goal).square()).neg()
  return { leaves, weights: [positive, negative], net, guided, options: { scheduler, reward } }
}

/** The fixture's run before some call, without gradients. */
export function stoodAt({ leaves, guided }: Fixture, call: number): RolloutBatch<undefined> {
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

/** Expects a case's loss, and gradients by both weights. */
export function expectCase<B>(
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

/** A run, and what it is made of. */
export interface Toy {
  readonly model: Denoiser<Tensor>
  readonly batch: RolloutBatch<Tensor>
  readonly options: RewardGradientOptions<Tensor>
  readonly parameters: { readonly a: Tensor; readonly b: Tensor }
}

/** A run of a multistep solver in float64, with a decoder, clipped estimates and fresh noise where the solver draws it. */
export function toy(sampler: Scheduler, calls: number): Toy {
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
  return { model, batch, options, parameters: { a, b } }
}

/** Expects a kind of objective to refuse options that are none. */
export function expectRefusals(made: (options: never) => unknown): void {
  for (const wrong of [{}, { scheduler }, { scheduler, reward: 1 }, { scheduler, reward: meanOfEach, k: 1 }]) {
    expect(() => made(wrong as never)).toThrow(ConfigError)
  }
}

/** Expects the names of an objective that is negated, and of one that is so twice. */
export function expectNames(o: PreferenceObjective<RolloutBatch<undefined>, ModelNetwork<undefined>>): void {
  expect([o.negated().name, o.negated().negated().name]).toEqual([`negated ${o.name}`, o.name])
}
