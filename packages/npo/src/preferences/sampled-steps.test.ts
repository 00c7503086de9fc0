import { ConfigError, NumericError, tensor, type Tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import { ddim, flowMatchSde, type Scheduler } from '@antipode/schedulers'
import { afterEach, describe, expect, test } from 'vitest'
import type { Denoiser } from '../denoiser.ts'
import selection from '../objectives/transitions/testing/pair-selection.golden.json' with { type: 'json' }
import { ddpo, spo } from '../objectives/index.ts'
import { type BranchingOptions, branchingPairs, type Candidates } from './branching-pairs.ts'
import { chosenPairs } from './chosen-pairs.ts'
import { groupAdvantages, policyRollouts } from './index.ts'

const host = new FakeHost()
const count = 3
const noise = tensor(host, Array.from({ length: 2 * count }, (_, i) => Math.sin(5 + 3.7 * i * i)), [count, 2])
const condition = tensor(host, [0.5, -0.5, 1, 0, 0, 1], [count, 2])
/** A pull towards the condition. */
const model: Denoiser<Tensor> = (x, t, c) => x.sub(c).mul(t.div(1000).unsqueeze(1)).tanh()
const scheduler = ddim({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, eta: 1, clipSample: false, setAlphaToOne: false, stepsOffset: 1 })
const owned = host.memory().tensors
afterEach(() => { expect(host.memory().tensors).toBe(owned) })

/** Points to the right are better. */
const right = ({ sample }: Pick<Candidates<Tensor>, 'sample'>): Tensor => sample.slice(1, 0, 1).squeeze(1)
const base: BranchingOptions<Tensor> = { steps: 6, branches: 3, from: 2, score: right, threshold: () => 0, seed: 4 }

/** Numbers of all batches of a run. */
async function branched(options: Partial<BranchingOptions<Tensor>> = {}): Promise<{ rows: readonly number[]; timestep: number; start: number[]; others: number[]; best: number[]; worst: number[] }[]> {
  const all = []
  for await (const pairs of branchingPairs(model, scheduler, noise, condition, { ...base, ...options })) {
    using batch = pairs
    const { chosen, rejected } = batch
    const [start, others, best, worst, timesteps] = interpret([chosen.sample, rejected.sample, chosen.next, rejected.next, chosen.timesteps])
    if (options.inner === undefined) expect(rejected.sample).toBe(chosen.sample)
    all.push({
      rows: batch.rows, timestep: timesteps?.[0] as number, start: [...start ?? []], others: [...others ?? []], best: [...best ?? []], worst: [...worst ?? []],
    })
  }
  return all
}

describe('branching', () => {
  test('keeps the best and the worst of each sample where they are far enough apart, as the released function does', () => {
    const { tau } = selection.params
    const [scores, { win_index: best, lose_index: worst, keep }] = [selection.inputs.scores_K_by_batch, selection.out]
    const want = best.map((k, row) => ({ row, best: k, worst: worst[row] })).filter(({ row }) => keep[row] === 1)
    expect(chosenPairs(scores, 4, 4, tau)).toEqual(want)
    expect(chosenPairs(scores, 4, 4, 0).map((p) => p.best)).toEqual(best)
    expect(chosenPairs(scores.map((s) => -s), 4, 4, 0).map((p) => p.best)).toEqual(selection.out.npo_win_index)
    // The threshold is a gap of scores: 2·atanh τ.
    const apart = (gap: number): number => chosenPairs([gap, 0], 1, 2, tau).length
    expect([apart(selection.out.min_gap + 1e-9), apart(selection.out.min_gap - 1e-9)]).toEqual([1, 0])
  })

  test('makes pairs of every step from the first that branches to the last, each from one sample', async () => {
    const all = await branched()
    expect(all.map(({ timestep }) => timestep)).toEqual(scheduler.timesteps(6).timesteps.slice(2))
    for (const { rows, start, best, worst } of all) {
      expect(rows).toEqual([0, 1, 2])
      expect([start.length, best.length, worst.length]).toEqual([6, 6, 6])
      for (const row of rows) expect(best[2 * row]).toBeGreaterThan(worst[2 * row] as number)
    }
    // The next step starts from one of the candidates.
    expect(all[1]?.start).not.toEqual(all[0]?.start)
  })

  test('depends on noise, seed and weights alone, and stops where it is left', async () => {
    expect(await branched()).toEqual(await branched())
    expect(await branched({ seed: 5 })).not.toEqual(await branched())
    for await (const pairs of branchingPairs(model, scheduler, noise, condition, base)) {
      pairs[Symbol.dispose]()
      break
    }
  })

  test('scores estimates of the clean sample at their timestep, and the sample itself at the end', async () => {
    const seen: number[][] = []
    await branched({ score: ({ sample, x0, timesteps, condition: told }) => {
      expect([sample.shape, x0.shape, told.shape, timesteps.shape]).toEqual([[9, 2], [9, 2], [9, 2], [9]])
      const [x, clean, t] = interpret([sample, x0, timesteps])
      seen.push([t?.[0] as number, Number(x?.[0] === clean?.[0])])
      return right({ sample })
    } })
    expect(seen).toEqual([...scheduler.timesteps(6).timesteps.slice(3).map((t) => [t, 0]), [0, 1]])
  })

  test('with inner steps gives all steps since candidates parted, each from where its own candidate was, as for SDXL', async () => {
    const seen: number[] = []
    const { timesteps } = scheduler.timesteps(8)
    const all = await branched({
      steps: 8, branches: 2, from: 1, inner: 2, score: (at) => { seen.push(...interpret([at.timesteps])[0]!.slice(0, 1)); return right(at) },
    })
    // Candidates part at steps 1 and 4, are scored at 4 and at the end, and the last call would be their third parting.
    expect(seen).toEqual([timesteps[4], 0])
    expect(all.map(({ timestep }) => timestep)).toEqual(timesteps.slice(1))
    const ends = all.map(({ best }) => best)
    for (const i of [1, 2, 4, 5, 6]) {
      expect(all[i]?.start).toEqual(ends[i - 1])
      expect(all[i]?.others).toEqual(all[i - 1]?.worst)
    }
    for (const i of [0, 3]) expect(all[i]?.others).toEqual(all[i]?.start)
    for (const row of [0, 1, 2]) for (const i of [2, 6]) expect(ends[i]?.[2 * row]).toBeGreaterThan(all[i]?.worst[2 * row] as number)
    expect(await branched({ steps: 8, branches: 2, from: 1, inner: 2, threshold: () => 1 })).toEqual([])
  })

  test('gives nothing where no gap passes the threshold, which may depend on the step', async () => {
    expect(await branched({ threshold: () => 1 })).toEqual([])
    const asked: number[] = []
    await branched({ threshold: ({ deviation }) => { asked.push(deviation); return 1 } })
    expect(asked).toHaveLength(4)
    expect(asked[0]).toBeGreaterThan(asked[3] as number)
  })

  test('its pairs are what step-aware preference optimisation takes', async () => {
    const losses: number[] = []
    for await (const pairs of branchingPairs(model, scheduler, noise, condition, base)) {
      using batch = pairs
      losses.push(interpret([spo<Tensor>().evaluate({ model, reference: model }, batch).loss])[0]?.[0] as number)
    }
    for (const loss of losses) expect(loss).toBeCloseTo(Math.LN2, 12)
  })
})

describe('rollouts of a policy', () => {
  const reward = (x: Tensor): Tensor => right({ sample: x })
  const advantages = (rewards: ArrayLike<number>): Float64Array => groupAdvantages(rewards, ['a', 'a', 'a'], { rule: 'ddpo' })
  const flow = flowMatchSde()

  test.each<[string, Scheduler]>([['DDIM', scheduler], ['a flow', flow]])('by %s give the steps of each call, whose ratios are 1', async (_, sampler) => {
    const timesteps: number[] = []
    let end: number[] = []
    for await (const steps of policyRollouts(model, sampler, noise, condition, { steps: 4, reward, advantages, seed: 1 })) {
      using batch = steps
      const { loss, metrics } = ddpo<Tensor>().evaluate({ model }, batch)
      const [t, kl, better, value, start, next] = interpret([batch.timesteps, metrics['approxKl'] as Tensor, batch.advantages, loss, batch.sample, batch.next])
      timesteps.push(t?.[0] as number)
      // Recorded in f32.
      expect(kl?.[0]).toBeLessThan(1e-9)
      expect(value?.[0]).toBeCloseTo(0, 4)
      expect([...better ?? []].reduce((a, b) => a + b)).toBeCloseTo(0, 5)
      if (end.length > 0) expect([...start ?? []]).toEqual(end)
      end = [...next ?? []]
    }
    expect(timesteps).toEqual([...sampler.timesteps(4).timesteps])
  })

  test('are released whenever they are left, and by whoever fails', async () => {
    for await (const steps of policyRollouts(model, flow, noise, condition, { steps: 3, reward, advantages, seed: 1 })) {
      steps[Symbol.dispose]()
      break
    }
    const failing = policyRollouts(model, flow, noise, condition, { steps: 3, reward: (x) => reward(x).mul(Number.NaN), advantages, seed: 1 })
    await expect(failing.next()).rejects.toThrow(NumericError)
    const aborted = policyRollouts(model, flow, noise, condition, { steps: 3, reward, advantages, seed: 1, signal: AbortSignal.abort(new Error('enough')) })
    await expect(aborted.next()).rejects.toThrow('enough')
  })
})

test('options out of range are refused', async () => {
  for (const wrong of [{ branches: 1 }, { from: -1 }, { inner: 0.5 }, { seed: 0.5 }, { score: 1 }, { k: 4 }]) {
    await expect(branchingPairs(model, scheduler, noise, condition, { ...base, ...wrong } as never).next()).rejects.toThrow(ConfigError)
  }
  for (const wrong of [{}, { steps: 3, reward: 1, advantages: 1, seed: 1 }]) {
    await expect(policyRollouts(model, scheduler, noise, condition, wrong as never).next()).rejects.toThrow(ConfigError)
  }
})
