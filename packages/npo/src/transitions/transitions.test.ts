import { ConfigError, tensor, type Tensor } from '@antipode/core'
import { FakeHost, interpret, largestGap } from '@antipode/core/testing'
import { ddim, ddpm, dpmSolverMultistep, eulerAncestral, flowMatchSde, type Scheduler } from '@antipode/schedulers'
import { describe, expect, test } from 'vitest'
import { cases, ddimByHand, fixtures, flowSteps, type StepByHand, stepsOf } from '../objectives/transitions/testing/steps.ts'
import { Leaves, shape } from '../objectives/testing/oracle.ts'
import { levelAt, stepCoefficients, stepLevels, stepLogProb, stepMean } from './index.ts'

const stable = { betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, clipSample: false } as const

/** Mean and log-probability of steps from x with a prediction to x'. */
function measure(by: StepByHand, x: readonly number[], e: readonly number[], next: readonly number[]): Float64Array[] {
  const leaves = new Leaves()
  const [sample, prediction] = [leaves.of(x, shape), leaves.of(e, shape)]
  const steps = stepsOf(leaves, by, sample, next)
  const mean = stepMean(prediction, steps)
  return [leaves.read(mean), leaves.read(stepLogProb(mean, steps))]
}

function near(got: Float64Array | undefined, want: readonly number[], bound = 1e-9): void {
  expect(largestGap(Float64Array.from(want), got ?? []) / Math.max(...want.map(Math.abs))).toBeLessThan(bound)
}

describe('log-probabilities are those of the released functions', () => {
  test('of DDIM with noise', () => {
    const { out } = cases.ddim_step_logprob
    const f = fixtures.step
    const by = ddimByHand(f.alphas_cumprod, f.alphas_cumprod_prev)
    near(Float64Array.from(by.deviation), out.sigma)
    const [mean, won] = measure(by, f.x_t, f.eps_w, f.x_next_w)
    near(mean, out.mean_w)
    near(won, out.logp_w)
    near(measure(by, f.x_t, f.eps_l, f.x_next_l)[1], out.logp_l)
    near(measure(by, f.x_t, f.eps_ref, f.x_next_w)[1], out.logp_ref_w)
    near(measure(by, f.x_t, f.eps_ref, f.x_next_l)[1], out.logp_ref_l)
  })

  test('of both processes of a flow', () => {
    const f = fixtures.flow
    const { out } = cases.flow_sde_step
    const growing = flowSteps('flow-grpo')
    near(Float64Array.from(growing.deviation), out.step_std)
    const [mean, own] = measure(growing, f.x_t, f.v, f.x_next)
    near(mean, out.mean)
    near(own, out.logp)
    near(measure(growing, f.x_t, f.v_old, f.x_next)[1], out.logp_old)
    near(measure(growing, f.x_t, f.v_ref, f.x_next)[1], out.logp_ref)
    const { out: dance } = cases.dance_grpo
    const constant = flowSteps('dance-grpo')
    const [danced, probability] = measure(constant, f.x_t, f.v, f.x_next)
    near(danced, dance.mean)
    near(probability, dance.logp)
    near(Float64Array.from(constant.deviation), dance.step_std)
  })
})

describe('coefficients are read off the scheduler', () => {
  /** Those of three steps of a plan. */
  const read = (scheduler: Scheduler, steps: Parameters<Scheduler['begin']>[0], at: readonly number[]) => {
    const begun = scheduler.begin(steps)
    return at.map((step) => stepCoefficients(scheduler, { ...begun, step }))
  }

  test('those of DDIM and of flows are their papers\' formulas', () => {
    const { timesteps, prev_timesteps: previous, alphas_cumprod: from, alphas_cumprod_prev: to } = fixtures.step
    const scheduler = ddim({ ...stable, eta: 1, setAlphaToOne: false, stepsOffset: 1 })
    const plan = scheduler.timesteps(20)
    const at = timesteps.map((t) => plan.timesteps.indexOf(t))
    expect(at.map((i) => plan.previous?.[i])).toEqual(previous)
    const checks: [ReturnType<typeof read>, StepByHand][] = [
      // The table is in f32, of which ᾱ of the fixture differs by 2e-6.
      [read(scheduler, 20, at), ddimByHand(from, to)],
      [read(flowMatchSde(), { sigmas: [1, 0.9, 0.75, 0.5, 0.2] }, [0, 2, 4]), flowSteps('flow-grpo')],
      [read(flowMatchSde({ noiseLevel: 0.3, diffusion: 'constant' }), { sigmas: [1, 0.9, 0.75, 0.5, 0.2] }, [0, 2, 4]), flowSteps('dance-grpo')],
    ]
    for (const [got, want] of checks) {
      near(Float64Array.from(got, (c) => c.sample), want.carried, 2e-6)
      near(Float64Array.from(got, (c) => c.prediction), want.predicted, 2e-6)
      near(Float64Array.from(got, (c) => c.deviation), want.deviation, 2e-6)
      if (want.elapsed) near(Float64Array.from(got, (c) => c.elapsed), want.elapsed, 1e-6)
    }
    expect(checks[0]?.[0].map(({ elapsed }) => elapsed)).toEqual([0.05, 0.05, 0.05])
    expect(checks[0]?.[0].map(({ timestep }) => timestep)).toEqual(timesteps)
  })

  test.each<[string, Scheduler]>([
    ['ddpm', ddpm({ ...stable })], ['eulerAncestral', eulerAncestral({ betaSchedule: 'scaled_linear' })],
    ['ddim of v', ddim({ ...stable, eta: 0.5, predictionType: 'v_prediction', setAlphaToOne: false })],
  ])('%s steps where they say', (_, scheduler) => {
    const state = { ...scheduler.begin<number>(10), step: 3 }
    const unit = { combine: (terms: readonly (readonly [number, number])[]): number => terms.reduce((sum, [c, x]) => sum + c * x, 0) }
    const { sample, x0 } = scheduler.step(unit, state, 0.3, -1.2, 0.7)
    const c = stepCoefficients(scheduler, state)
    expect(c.sample * -1.2 + c.prediction * 0.3 + c.deviation * 0.7).toBeCloseTo(sample, 12)
    expect(c.clean[0] * -1.2 + c.clean[1] * 0.3).toBeCloseTo(x0, 12)
    expect(c.input).toBe(scheduler.inputScale(state))
  })

  test('levels are those that noise is added by', () => {
    const { signal, noise } = levelAt(ddim(stable), 500)
    expect(signal ** 2 + noise ** 2).toBeCloseTo(1, 6)
    expect(levelAt(flowMatchSde(), 250)).toEqual({ signal: 0.75, noise: 0.25 })
  })

  test('steps that clip, remember or draw nothing are refused', () => {
    expect(() => stepCoefficients(ddim({ eta: 1 }), ddim({ eta: 1 }).begin(4))).toThrow(/one that clips x₀/)
    expect(() => stepCoefficients(dpmSolverMultistep(), dpmSolverMultistep().begin(4))).toThrow(/one that remembers/)
    const still = ddim(stable)
    expect(() => stepLevels(new FakeHost(), [stepCoefficients(still, still.begin(4))], 2)).toThrow(ConfigError)
  })
})

test('the density is a normal one\'s: of one element it integrates to 1', () => {
  const host = new FakeHost()
  const count = 400
  const grid = Array.from({ length: count }, (_, i) => -4 + (8 * i) / count)
  const column = (value: number): Tensor => tensor(host, Array<number>(count).fill(value), [count, 1])
  const mean = column(0.3)
  const logs = interpret([stepLogProb(mean, { next: tensor(host, grid, [count, 1]), deviation: column(0.5) })])[0] ?? []
  expect([...logs].reduce((sum, p) => sum + Math.exp(p) * (8 / count), 0)).toBeCloseTo(1, 8)
})
