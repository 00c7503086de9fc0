import { Device, evaluate, type Tensor, tensor } from '@antipode/core'
import { philoxNormal } from '@antipode/core/random'
import {
  type AnySolver, currentTimestep, float32Linear, isDone, type Linear, mapState, type Scheduler, type SchedulerState, tensorsOf,
} from '@antipode/schedulers'
import * as solvers from '@antipode/schedulers/solvers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { tensorLinear } from './tensor-linear.ts'

let device: Device
beforeAll(async () => { device = await Device.request() })
afterEach(() => { expect(device.memory().tensors).toBe(0) })
afterAll(async () => { await device[Symbol.asyncDispose]() })

const shape = [3, 7]
const size = 21
/** Largest relative error of rounding to float32. */
const unit = 2 ** -24

/** An array on the host, and how far from it the same value on the GPU can be, element by element. */
interface Bounded {
  readonly values: Float32Array
  readonly bound: Float64Array
}

/**
 * The sums of {@link float32Linear}, with a bound on what the GPU makes of them. There each of n terms has a coefficient
 * rounded to float32 and a rounded product, and n − 1 additions round, in any order: (n + 1)·u·Σ|c·x|. The host's sum rounds
 * once more. What the terms themselves are off by goes in times its coefficient.
 */
const boundedLinear: Linear<Bounded> = {
  combine: (terms) => ({
    values: float32Linear.combine(terms.map(([c, { values }]) => [c, values])),
    bound: Float64Array.from({ length: size }, (_, i) => terms.reduce((sum, [c, { values, bound }]) => {
      const [value = Number.NaN, off = Number.NaN] = [values[i], bound[i]]
      // 1 % for products of the small factors; the last term is the smallest number that is not flushed to 0.
      return sum + Math.abs(c) * off + 1.01 * (terms.length + 2) * unit * Math.abs(c) * (Math.abs(value) + off) + 2 ** -126
    }, 0)),
  }),
  // Clamping brings no two numbers further apart.
  clamp: ({ values, bound }, low, high) => ({ values: values.map((x) => Math.min(Math.max(x, low), high)), bound }),
}
const exactly = (values: Float32Array): Bounded => ({ values, bound: new Float64Array(size) })

/** Of these options each solver gets those that it has: as many model outputs as it can look back on, and noise where it is a choice. */
const furthest: Readonly<Record<string, unknown>> = {
  solverOrder: 3, order: 4, predictorOrder: 3, correctorOrder: 4, eta: 1, sChurn: 4, stochasticSampling: true, skipPrkSteps: false,
}
const stochastic = { algorithmType: 'sde-dpmsolver++', solverOrder: 2 }
const runs: readonly (readonly [string, Scheduler])[] = (Object.values(solvers) as readonly unknown[] as readonly AnySolver[]).flatMap((solver) => {
  const fields = solver.fields()
  const having = (options: Readonly<Record<string, unknown>>): object =>
    Object.fromEntries(Object.entries(options).filter(([option, value]) => option in fields && fields[option]?.accepts(value) === true))
  const { solverName } = solver
  return [
    [solverName, solver()],
    [`${solverName}, at its furthest`, solver(having(furthest))],
    ...(fields['algorithmType']?.accepts('sde-dpmsolver++') === true ? [[`${solverName}, as an SDE`, solver(stochastic)] as const] : []),
  ]
})

test.each(runs)('%s steps on the GPU as it does on arrays, within the rounding of its sums', async (_, scheduler) => {
  const plan = scheduler.timesteps(6)
  let state: SchedulerState<Tensor> = scheduler.begin(plan)
  let host: SchedulerState<Bounded> = scheduler.begin(plan)
  let sample = exactly(philoxNormal(size, { seed: 1 }).map((v) => v * scheduler.initNoiseSigma(plan)))
  let x = tensor(device, sample.values, shape)
  let owned: readonly Tensor[] = [x]
  for (let call = 0; !isDone(state); call++) {
    const scale = scheduler.inputScale(host)
    const output = sample.values.map((v) => v * scale / (1 + (v * scale) ** 2) + currentTimestep(host) / 5000)
    const drawn = scheduler.needsNoise(host) ? philoxNormal(size, { seed: 2, stream: call }) : undefined
    const want = scheduler.step(boundedLinear, host, exactly(output), sample, drawn && exactly(drawn))
    const [prediction, noise] = [tensor(device, output, shape), drawn && tensor(device, drawn, shape)]
    const got = scheduler.step(tensorLinear, state, prediction, x, noise)
    const [made, expected] = [got, want].map((one) => [one.sample, one.x0, ...tensorsOf<Tensor | Bounded>(one.state)]) as [Tensor[], Bounded[]]
    await evaluate(...new Set(made))

    expect(made.length).toBe(expected.length)
    const read = new Map<Tensor, Bounded>()
    for (const [k, t] of made.entries()) {
      const { values, bound } = expected[k] as Bounded
      const actual = await t.data() as Float32Array
      read.set(t, exactly(actual))
      const largest = Math.max(1, ...Array.from(values, Math.abs))
      for (const [i, value] of actual.entries()) {
        expect(Math.abs(value - (values[i] ?? Number.NaN)), `call ${call}, tensor ${k}, element ${i}`).toBeLessThanOrEqual(bound[i] ?? Number.NaN)
      }
      // The bound itself is of float32's size, 4e-5 at most where terms cancel: a wrong coefficient would show.
      expect(Math.max(...bound) / largest, `call ${call}, tensor ${k}`).toBeLessThan(1e-4)
    }
    const kept = new Set([got.sample, ...tensorsOf(got.state)])
    for (const t of new Set([...owned, ...made, prediction, ...(noise ? [noise] : [])])) if (!kept.has(t)) t.dispose()
    owned = [...kept]
    ;({ state, sample: x } = got)
    // The host goes on from what the GPU has, so that each call is compared by its own rounding.
    host = mapState(state, (t) => read.get(t) as Bounded)
    sample = read.get(x) as Bounded
  }
  for (const t of owned) t.dispose()
})

test('these runs have noise, slots, histories and steps of several calls among them', () => {
  const zero = exactly(new Float32Array(size))
  const after = runs.map(([, scheduler]) => {
    const first = scheduler.step(boundedLinear, scheduler.begin<Bounded>(6), zero, zero, zero)
    return scheduler.step(boundedLinear, first.state, zero, zero, zero).state
  })
  const count = (holds: (scheduler: Scheduler, state: SchedulerState<Bounded>) => boolean): number =>
    runs.filter(([, scheduler], i) => holds(scheduler, after[i] as SchedulerState<Bounded>)).length
  expect(count((scheduler) => scheduler.needsNoise(scheduler.begin(6)))).toBeGreaterThan(10)
  expect(count((_, { slots }) => Object.keys(slots).length > 0)).toBeGreaterThan(5)
  expect(count((_, { history }) => history.length > 0)).toBeGreaterThan(10)
  expect(count((_, { plan }) => plan.starts !== undefined)).toBeGreaterThan(5)
})
