import { expect, test } from 'vitest'
import { SchedulerError } from '../errors.ts'
import { float32Linear } from '../linear/index.ts'
import { fromConfig, toConfig } from '../registry/index.ts'
import {
  currentTimestep,
  isDone,
  mapState,
  stepCount,
  type AnySolver,
  type Scheduler,
  type SchedulerState,
  type StepResult,
  type Steps,
} from '../run/index.ts'
import { endOfExactRun, plannedEnd } from './exact-model.ts'
import { halfLinear, roundHalf, type Half } from './half.ts'
import { testModel } from './test-bed.ts'
import { torchNormals } from './torch-random.ts'

type Run = Pick<StepResult<Float32Array>, 'state' | 'sample'>

const start = torchNormals(7)(16)

/** Seeding the generator costs more than a step does, so each noise is drawn once. */
const noises: Float32Array[] = []
const noiseOf = (step: number): Float32Array => (noises[step] ??= torchNormals(100 + step)(16))

/** A run of the test model whose noise depends on the step alone. */
function advanced(scheduler: Scheduler, { state, sample }: Run): Run {
  const input = sample.map((value) => value * scheduler.inputScale(state))
  const noise = scheduler.needsNoise(state) ? noiseOf(state.step) : undefined
  return scheduler.step(float32Linear, state, testModel(input, currentTimestep(state)), sample, noise)
}

function begun(scheduler: Scheduler, steps: Steps): Run {
  const shifted = typeof steps === 'number' && scheduler.accepts.includes('mu')
  const state = scheduler.begin<Float32Array>(shifted ? { count: steps, mu: 1.15 } : steps)
  const spread = scheduler.initNoiseSigma(state.plan)
  return { state, sample: start.map((x) => x * spread) }
}

function finished(scheduler: Scheduler, steps: Steps): Float32Array {
  let run = begun(scheduler, steps)
  while (!isDone(run.state)) run = advanced(scheduler, run)
  return run.sample
}

/**
 * What every solver must keep, for some configurations of it in diffusers' keys:
 * its configuration survives the file, timesteps of the caller's own that equal the spaced ones change nothing, every
 * number of steps ends finite, a run resumes from JSON and runs take turns without a difference, states never change,
 * and half precision goes in and out.
 */
export function solverProperties(solver: AnySolver, configs: readonly Readonly<Record<string, unknown>>[]): void {
  const name = solver.solverName
  const className = solver.classNames[0] ?? name
  // One that stands outside the package is found by nobody, and is named.
  const read = (config: Readonly<Record<string, unknown>>): Scheduler => fromConfig({ _class_name: className, ...config }, solver.classNames.length > 0 ? {} : { solver })
  const schedulers = [solver(), ...configs.map(read)]

  test(`${name} comes back from its file as it was`, () => {
    for (const scheduler of schedulers) {
      const again = read(JSON.parse(JSON.stringify(toConfig(scheduler))) as Readonly<Record<string, unknown>>)
      expect(again.config).toEqual(scheduler.config)
      expect(toConfig(again)).toEqual(toConfig(scheduler))
    }
  })

  test(`${name} refuses an unknown option by name`, () => {
    expect(() => solver({ noSuchOption: 1 })).toThrow(/noSuchOption/)
    expect(() => read({ no_such_key: 1 })).toThrow(/no_such_key/)
  })

  test(`${name} ends where it does by count when it is given its own timesteps`, () => {
    const scheduler = solver()
    if (!scheduler.accepts.includes('timesteps')) return
    const plan = scheduler.timesteps(10)
    const timesteps = (plan.starts ?? plan.timesteps.map((_, i) => i)).map((call) => plan.timesteps[call]!)
    // Models of a continuous level are told a function of it, while the caller counts training timesteps.
    if (timesteps[0]! > trainSteps(scheduler)) return
    const again = scheduler.timesteps({ timesteps })
    expect(again.timesteps).toEqual(plan.timesteps)
    expect(again.previous).toEqual(plan.previous)
    again.sigmas?.forEach((sigma, i) => {
      expect(Math.abs(sigma - plan.sigmas![i]!)).toBeLessThanOrEqual(1e-6 * sigma)
    })
    expect(finished(scheduler, { timesteps })).toEqual(finished(scheduler, 10))
  })

  test(`${name} ends where it does by count when it is given its own noise levels`, () => {
    const scheduler = solver()
    if (!scheduler.accepts.includes('sigmas')) return
    const plan = scheduler.timesteps(10)
    const sigmas = (plan.starts ?? plan.timesteps.map((_, i) => i)).map((call) => plan.sigmas![call]!)
    expect(finished(scheduler, { sigmas })).toEqual(finished(scheduler, 10))
  })

  test(`${name} ends finite at every number of steps that it plans`, () => {
    let refused = Infinity
    const scheduler = solver()
    for (const steps of [1, 2, 3, 5, 7, 13, 25, 50, 61, 100, 999, 1000]) {
      try {
        scheduler.timesteps(steps)
      } catch (error) {
        expect(error).toBeInstanceOf(SchedulerError)
        refused = Math.min(refused, steps)
        continue
      }
      expect(steps, 'refused fewer steps, and not these').toBeLessThan(refused)
      expect(finished(scheduler, steps).every(Number.isFinite), `${steps} steps`).toBe(true)
    }
    expect(refused).toBeGreaterThan(Math.min(trainSteps(scheduler), 50))
  })

  test(`${name} ends at x₀ from every step that it may begin at, with a model that knows it`, () => {
    for (const scheduler of schedulers.filter(followsExactly)) {
      const plan = scheduler.timesteps(scheduler.accepts.includes('mu') ? { count: 10, mu: 1.15 } : 10)
      // A step of ddim or pndm that goes a stride down ends beside a next timestep that lies elsewhere, as in diffusers.
      if (plan.starts === undefined && plan.previous?.some((t, i) => t !== (plan.timesteps[i + 1] ?? t))) continue
      const planned = plannedEnd(scheduler, plan)
      for (let startAt = 0; startAt < stepCount(plan); startAt++) {
        const end = endOfExactRun(scheduler, plan, startAt)
        expect(Math.abs(end.signal - planned.signal), `x₀ from step ${startAt}`).toBeLessThan(1e-5)
        expect(Math.abs(end.noise - planned.noise), `noise from step ${startAt}`).toBeLessThan(1e-5)
      }
    }
  })

  test(`${name} resumes from JSON at every step, bit for bit`, () => {
    for (const scheduler of schedulers.filter(hooksNothing)) {
      let run = begun(scheduler, 12)
      let resumed = run
      while (!isDone(run.state)) {
        run = advanced(scheduler, run)
        resumed = advanced(scheduler, { state: throughJson(resumed.state), sample: resumed.sample })
        expect(resumed.sample).toEqual(run.sample)
      }
    }
  })

  test(`${name} leaves states as they were, so that runs can branch and take turns`, () => {
    for (const scheduler of schedulers.filter(hooksNothing)) {
      const alone = [finished(scheduler, 8), finished(scheduler, 11)]
      const runs = [begun(scheduler, 8), begun(scheduler, 11)]
      while (runs.some(({ state }) => !isDone(state))) {
        runs.forEach((run, i) => {
          if (isDone(run.state)) return
          const before = structuredClone(run)
          runs[i] = advanced(scheduler, run)
          expect({ state: run.state, sample: run.sample }).toEqual({ state: before.state, sample: before.sample })
          expect(advanced(scheduler, run).sample).toEqual(runs[i].sample)
        })
      }
      expect(runs.map(({ sample }) => sample)).toEqual(alone)
    }
  })

  test(`${name} takes half precision and gives it back`, () => {
    const scheduler = solver()
    let state: SchedulerState<Half> = scheduler.begin(10)
    let x: Half = halfLinear.combine([[Math.min(scheduler.initNoiseSigma(state.plan), 1e3), { half: start }]])
    let run: Run = { state: scheduler.begin(10), sample: x.half }
    while (!isDone(state)) {
      const input = x.half.map((value) => value * scheduler.inputScale(state))
      const prediction = { half: testModel(input, currentTimestep(state)).map(roundHalf) }
      const noise = scheduler.needsNoise(state) ? { half: noiseOf(state.step).map(roundHalf) } : undefined
      ;({ state, sample: x } = scheduler.step(halfLinear, state, prediction, x, noise))
      run = advanced(scheduler, run)
      // Eleven bits a value, over terms that may cancel to a hundredth of their size.
      const size = Math.max(...run.sample.map(Math.abs), 1)
      x.half.forEach((value, i) => {
        expect(Math.abs(value - run.sample[i]!) / size).toBeLessThan(0.1)
      })
    }
  })

  test(`${name} refuses a step after the last, a plan of another solver, and a start outside`, () => {
    const scheduler = solver()
    const state = scheduler.begin<Float32Array>(5, stepCount(scheduler.timesteps(5)))
    expect(isDone(state)).toBe(true)
    expect(() => scheduler.step(float32Linear, state, start, start, start)).toThrow(SchedulerError)
    expect(() => scheduler.begin({ ...scheduler.timesteps(5), solver: 'other' })).toThrow(/expected a plan of/)
    for (const startAt of [-1, 0.5, 99]) expect(() => scheduler.begin(5, startAt)).toThrow(/startAt from 0/)
  })

  test(`${name} begins where the strength of an image-to-image run says`, () => {
    const scheduler = solver()
    const plan = scheduler.timesteps({ count: 10, strength: 0.3 })
    expect(scheduler.timesteps({ count: 10, strength: 1 })).toEqual(scheduler.timesteps(10))
    if (plan.start === undefined) return
    expect(stepCount(plan) - plan.start).toBe(Math.floor(stepCount(plan) * 0.3))
    expect(scheduler.begin(plan)).toEqual(scheduler.begin(plan, plan.start))
  })
}

/**
 * Whether an exact model makes an exact end: pndm means v itself over several levels, and 'sde-dpmsolver' and
 * flowMatchSde trade much of the noise at hand for fresh noise where steps are long. All are of first order so.
 */
function followsExactly({ name, config }: Scheduler): boolean {
  const { predictionType, algorithmType } = config as { predictionType?: string; algorithmType?: string }
  const trades = algorithmType === 'sde-dpmsolver' || name === 'flowMatchSde'
  return !(name === 'pndm' && predictionType === 'v_prediction') && !trades
}

function trainSteps(scheduler: Scheduler): number {
  return (scheduler.config as { numTrainTimesteps?: number }).numTrainTimesteps ?? Infinity
}

/** The test-bed's runs here pass no thresholding hook. */
function hooksNothing(scheduler: Scheduler): boolean {
  return (scheduler.config as { thresholding?: boolean }).thresholding !== true
}

function throughJson(state: SchedulerState<Float32Array>): SchedulerState<Float32Array> {
  const text = JSON.stringify(mapState(state, (value) => [...value]))
  return mapState(JSON.parse(text) as SchedulerState<number[]>, (value) => Float32Array.from(value))
}

/** What to tell a solver about a sample whose clean form is known. */
export type Predict = (
  clean: number,
  x: number,
  level: { readonly signal: number; readonly noise: number },
  state: SchedulerState<Float32Array>,
) => number

/**
 * The order of a deterministic solver on data N(0, ½²), where x₀ given x and the path of x are known: the logarithm of
 * how much the error at the last step's start shrinks from `steps` to twice as many.
 * @param predict what the model says; x₀ itself by default, for `predictionType: 'sample'`
 */
export function convergenceOrder(scheduler: Scheduler, steps: number, predict: Predict = (clean) => clean): number {
  return Math.log2(pathError(scheduler, steps, predict) / pathError(scheduler, 2 * steps, predict))
}

function pathError(scheduler: Scheduler, steps: number, predict: Predict): number {
  const variance = 0.25
  const spreadOf = ({ signal, noise }: { signal: number; noise: number }): number =>
    Math.hypot(signal * Math.sqrt(variance), noise)
  // Float64 in a Float32Array's clothes: rounding would hide the error of third-order solvers.
  const exact = {
    combine: (terms: readonly (readonly [number, Float32Array])[]): Float32Array =>
      // A step reads no more of a tensor than this adapter does, and this one reads numbers by index.
      Float64Array.of(terms.reduce((sum, [c, x]) => sum + c * x[0]!, 0)) as unknown as Float32Array,
  }
  let state = scheduler.begin<Float32Array>(steps)
  const end = state.plan.starts?.at(-1) ?? state.plan.timesteps.length - 1
  const begin = spreadOf(scheduler.level(state))
  let x = exact.combine([[begin, Float32Array.of(1)]])
  while (state.step < end) {
    const level = scheduler.level(state)
    const clean = (x[0]! * level.signal * variance) / spreadOf(level) ** 2
    const prediction = exact.combine([[predict(clean, x[0]!, level, state), Float32Array.of(1)]])
    ;({ state, sample: x } = scheduler.step(exact, state, prediction, x))
  }
  return Math.abs(x[0]! / spreadOf(scheduler.level(state)) - 1)
}
