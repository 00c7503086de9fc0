import { ConfigError, gradients, type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import { ddim } from '@antipode/schedulers'
import { afterEach, describe, expect, test } from 'vitest'
import type { Denoiser } from '../denoiser.ts'
import { d3po, negate } from '../objectives/index.ts'
import { rewardChoice, trajectoryPairs, type TrajectoryPairsOptions } from './index.ts'

const host = new FakeHost()
const [count, calls] = [8, 4]
const noise = tensor(host, Array.from({ length: 2 * count }, (_, i) => Math.sin(5 + 3.7 * i * i)), [count, 2])
const scheduler = ddim({
  betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, eta: 1, clipSample: false, setAlphaToOne: false,
  stepsOffset: 1,
})
/** Says that all is noise but what lies at the point. */
const towards = (point: Tensor): Denoiser<undefined> => (x) => x.sub(point)
const [reference, start] = [tensor(host, [0, 0]), tensor(host, [0, 0])]
/** Points to the right are better. */
const right = (x: Tensor): Tensor => x.slice(1, 0, 1).squeeze(1)
const owned = host.memory().tensors
afterEach(() => { expect(host.memory().tensors).toBe(owned) })

const options: TrajectoryPairsOptions<undefined> = { steps: calls, choose: rewardChoice(right), seed: 1 }

/** Numbers of all batches. */
async function numbersOf(changes: Partial<TrajectoryPairsOptions<undefined>> = {}): Promise<number[][][]> {
  const all = []
  for await (const made of trajectoryPairs(towards(start), scheduler, noise, undefined, { ...options, ...changes })) {
    using pairs = made
    const { chosen, rejected, preference } = pairs
    const numbers = interpret([chosen.sample, rejected.sample, chosen.next, rejected.next, preference, chosen.timesteps])
    all.push(numbers.map((n) => [...n]))
  }
  return all
}

test('both runs begin with one noise and go on by themselves, each step where the last one ended', async () => {
  const all = await numbersOf()
  expect(all.map(([, , , , , t]) => t![0])).toEqual([...scheduler.timesteps(calls).timesteps])
  expect(all[0]![0]).toEqual(all[0]![1])
  for (let i = 1; i < calls; i++) expect([all[i]![0], all[i]![1]]).toEqual([all[i - 1]![2], all[i - 1]![3]])
  const [, , first = [], second = [], preference = []] = all.at(-1)!
  expect(first).not.toEqual(second)
  for (const [i, label] of preference.entries()) expect(label).toBe(Math.sign(first[2 * i]! - second[2 * i]!))
  for (const batch of all) expect(batch[4]).toEqual(preference)
  expect(await numbersOf()).toEqual(all)
  expect(await numbersOf({ seed: 2 })).not.toEqual(all)
})

describe('choices', () => {
  test('of rewards leave open what one likes and another does not', async () => {
    const points = (...values: readonly number[]): Tensor => tensor(host, values, [values.length / 2, 2])
    const up = (x: Tensor): Tensor => x.slice(1, 1).squeeze(1)
    using first = points(1, 1, 1, -1, 0, 1, 0, 0)
    using second = points(0, 0, 0, 0, 0, 2, 0, 0)
    expect(await rewardChoice(right, up)(first, second, undefined)).toEqual([1, 0, -1, 0])
    expect(await rewardChoice(right)(second, first, undefined)).toEqual([-1, -1, 0, 0])
  })

  test('may be a person\'s, who takes their time', async () => {
    const answers = [1, -1, 0, 1, 0, 0, -1, 1]
    const all = await numbersOf({ choose: () => new Promise((resolve) => { setTimeout(() => { resolve(answers) }, 1) }) })
    for (const batch of all) expect(batch[4]).toEqual(answers)
  })

  test('that are none are refused, as are options, and what was sampled is released whenever it is left', async () => {
    for (const answers of [[1, 0], Array<number>(count).fill(0.5)]) {
      await expect(numbersOf({ choose: () => answers })).rejects.toThrow(ConfigError)
    }
    for (const wrong of [{ steps: 0 }, { choose: 1 }, { seed: -1 }, { reward: right }]) {
      await expect(numbersOf(wrong as never)).rejects.toThrow(ConfigError)
    }
    await expect(numbersOf({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    for await (const pairs of trajectoryPairs(towards(start), scheduler, noise, undefined, options)) {
      pairs[Symbol.dispose]()
      break
    }
  })
})

/** Where a point ends that learns from its own runs for some rounds. */
async function learnt(objective: ReturnType<typeof d3po<undefined>>): Promise<readonly number[]> {
  let point = [0, 0]
  for (let round = 0; round < 6; round++) {
    using policy = tensor(host, point)
    const model = towards(policy)
    for await (const made of trajectoryPairs(model, scheduler, noise, undefined, { ...options, seed: round })) {
      using pairs = made
      const { loss } = objective.evaluate({ model, reference: towards(reference) }, pairs)
      const [slope] = interpret(gradients(loss, [policy]))
      point = point.map((value, i) => value - 20 * slope![i]!)
    }
  }
  return point
}

test('a policy learns from pairs of its own runs to go where it is rewarded, and negated to go away', async () => {
  const [there, away] = [await learnt(d3po({ beta: 1, clip: 0.9 })), await learnt(negate(d3po<undefined>({ beta: 1, clip: 0.9 })))]
  expect(there[0]).toBeGreaterThan(0.5)
  expect(away[0]).toBeLessThan(-0.5)
  // Nobody asks about up and down.
  for (const [x, y] of [there, away]) expect(Math.abs(y!)).toBeLessThan(Math.abs(x!) / 2)
})
