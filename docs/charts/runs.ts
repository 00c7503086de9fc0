import {
  currentTimestep,
  float32Linear,
  isDone,
  philox,
  SchedulerError,
  type AnySolver,
  type Scheduler,
  type SchedulerState,
} from '@antipode/schedulers'
import * as exported from '@antipode/schedulers/solvers'
import { dataPoints, flowed, posterior, slicedDistance, type Knowledge, type Level } from './mixture.ts'

/** A solver's error after one number of model calls. */
export interface Measured {
  readonly calls: number
  readonly error: number
}

/** What the charts show of a solver. */
export interface Portrait {
  readonly name: string
  /** Model calls a step in the long run. */
  readonly perStep: number
  /** How its error is measured: against the exact path from the same noise, or as a distribution. */
  readonly kind: 'path' | 'distribution'
  /** Whether its model says at once where a path ends. */
  readonly distilled: boolean
  readonly errors: readonly Measured[]
  /** The same on the noise levels of Karras et al., where the solver has them to choose. */
  readonly onKarrasLevels: readonly Measured[]
  /** Points after each call, at unit scale: one list of [x, y] for each of a few samples. */
  readonly paths: readonly (readonly (readonly [number, number])[])[]
}

/** Every solver of the package. */
export const solvers: readonly AnySolver[] = Object.values(exported) as unknown as readonly AnySolver[]

/** Solvers for models that were distilled to jump to the end of a path. */
const distilled = new Set(['consistency', 'lcm', 'tcd'])

/** Options that put all solvers on equal terms, for those that have them: latent diffusion's betas, no clipping. */
const common: Readonly<Record<string, unknown>> = {
  betaSchedule: 'scaled_linear',
  betaStart: 0.00085,
  betaEnd: 0.012,
  timestepSpacing: 'trailing',
  clipSample: false,
  clipDenoised: false,
  setAlphaToOne: true,
}

/** Samples that make a distribution. */
const crowd = 4000

const counts = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 50, 64, 80, 100]

function schedulerOf(solver: AnySolver, options: Readonly<Record<string, unknown>>): Scheduler {
  const fields = solver.fields()
  return solver(Object.fromEntries(Object.entries(options).filter(([option, value]) => fields[option]?.accepts(value) === true)))
}

/** Levels that are fine towards the end; the spacing gives their ends, and must reach the last timestep. */
const karras = { ...common, timestepSpacing: 'linspace', useKarrasSigmas: true }

/** Draws errors and paths of one solver. */
export function portraitOf(solver: AnySolver): Portrait {
  const scheduler = schedulerOf(solver, common)
  const jumps = distilled.has(solver.solverName)
  const few = counts.filter((count) => !jumps || count <= 8)
  const stochastic = few.some((count) => (attempt(() => run(scheduler, count, 2, jumps))?.draws ?? 0) > 0)
  const errorsOf = (one: Scheduler, least: number): Measured[] =>
    few.filter((count) => count >= least).flatMap((count) => {
      const made = attempt(() => run(one, count, stochastic ? crowd : 200, jumps))
      if (made === undefined || made.calls > 100) return []
      return [{ calls: made.calls, error: stochastic ? distributionError(made.end) : pathError(made) }]
    })
  const callsOf = (count: number): number => attempt(() => scheduler.timesteps(count).timesteps.length) ?? Infinity
  const shown = jumps ? 4 : Math.max(...few.filter((count) => callsOf(count) <= 24))
  const { path } = run(scheduler, shown, 14, jumps)
  const many = scheduler.timesteps(few.at(-1)!)
  return {
    name: solver.solverName,
    perStep: Math.round(many.timesteps.length / (many.starts ?? many.timesteps).length),
    kind: stochastic ? 'distribution' : 'path',
    distilled: jumps,
    errors: errorsOf(scheduler, 1),
    onKarrasLevels: 'useKarrasSigmas' in solver.fields() ? errorsOf(schedulerOf(solver, karras), 3) : [],
    paths: Array.from({ length: 14 }, (_, i) => path.map((points) => [points[2 * i]!, points[2 * i + 1]!] as const)),
  }
}

/** The error of exact paths, as a distribution: so many samples have no smaller one. */
export function distributionFloor(): number {
  const unit = philox(3)
  const ends = flowed(unit.draw(unit.begin(), 2 * crowd).values, { signal: 0, noise: 1 }, { signal: 1, noise: 0 }, 100)
  return distributionError(ends)
}

/** A number of steps that a solver refuses has no result. */
function attempt<R>(work: () => R): R | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof SchedulerError) return undefined
    throw error
  }
}

interface Run {
  readonly start: Float32Array
  readonly from: Level
  readonly end: Float32Array
  readonly to: Level
  readonly calls: number
  readonly draws: number
  /** Samples before the first call and after each, divided to unit scale. */
  readonly path: readonly Float64Array[]
}

/** A run on the toy with a perfect model: the posterior mean, or where the exact path ends. */
function run(scheduler: Scheduler, count: number, points: number, jumps: boolean): Run {
  let state: SchedulerState<Float32Array> = scheduler.begin(count)
  const from = scheduler.level(state)
  const unit = philox(1).draw(philox(1).begin(), 2 * points).values
  const inverts = (state.plan.timesteps.at(-1) ?? 0) > (state.plan.timesteps[0] ?? 0)
  const start = inverts
    ? Float32Array.from(dataPoints(points, unit), (value, i) => from.signal * value + from.noise * unit[i]!)
    : unit.map((value) => value * scheduler.initNoiseSigma(state.plan))
  const to = inverts ? noisyEnd(scheduler, state) : cleanEnd(state)
  const noises = philox(1, { stream: 1 })
  let fresh = noises.begin()
  let [x, draws] = [start, 0]
  const path = [scaled(start, from)]
  while (!isDone(state)) {
    const level = scheduler.level(state)
    const told = currentTimestep(state)
    const known = jumps ? jumped(x, level, target(scheduler, state)) : posterior(x, level)
    const [clean, noise] = [Float32Array.from(known.clean), Float32Array.from(known.noise)]
    // Without tables of training a model learns what its solver says; the others here predict ε.
    const prediction = scheduler.schedule === null ? scheduler.velocity(float32Linear, clean, noise, told) : noise
    let drawn: Float32Array | undefined
    if (scheduler.needsNoise(state)) {
      const draw = noises.draw(fresh, 2 * points)
      ;[drawn, fresh, draws] = [draw.values, draw.state, draws + 1]
    }
    const next = scheduler.step(float32Linear, state, prediction, x, drawn)
    state = next.state
    x = Float32Array.from(next.sample)
    path.push(scaled(x, isDone(state) ? to : scheduler.level(state)))
  }
  return { start, from, end: x, to, calls: state.plan.timesteps.length, draws, path }
}

function scaled(points: Float32Array, { signal, noise }: Level): Float64Array {
  return Float64Array.from(points, (value) => value / Math.hypot(signal, noise))
}

/**
 * A distilled model's word: the clean data and noise of the straight line that leads from a sample to where the exact path
 * is at another level.
 */
function jumped(points: Float32Array, from: Level, to: Level): Knowledge {
  const ends = flowed(points, from, to, 24).map((value) => value * (to.signal + to.noise))
  const determinant = from.signal * to.noise - from.noise * to.signal
  return {
    clean: ends.map((end, i) => (points[i]! * to.noise - from.noise * end) / determinant),
    noise: ends.map((end, i) => (from.signal * end - points[i]! * to.signal) / determinant),
  }
}

/** Where a call to a distilled model leads: to clean data, or with TCD's γ to a timestep below the next. */
function target(scheduler: Scheduler, { plan, step }: SchedulerState<Float32Array>): Level {
  const { eta } = scheduler.config as { readonly eta?: number }
  const next = plan.previous?.[step]
  return eta === undefined || next === undefined ? { signal: 1, noise: 0 } : levelAt(scheduler, Math.floor((1 - eta) * next))
}

function levelAt(scheduler: Scheduler, timestep: number): Level {
  const [one, zero] = [Float32Array.of(1), Float32Array.of(0)]
  return {
    signal: scheduler.addNoise(float32Linear, one, zero, timestep)[0]!,
    noise: scheduler.addNoise(float32Linear, zero, one, timestep)[0]!,
  }
}

function cleanEnd({ plan }: SchedulerState<Float32Array>): Level {
  const sigma = plan.sigmas?.at(-1) ?? 0
  // A last level above 0 is that of the cleanest timestep, where all scales agree to the fourth digit.
  return { signal: 1, noise: sigma < 0.1 ? sigma : 0 }
}

function noisyEnd(scheduler: Scheduler, { plan }: SchedulerState<Float32Array>): Level {
  const sigma = plan.sigmas?.at(-1)
  if (sigma === undefined) return levelAt(scheduler, plan.timesteps.at(-1)!)
  return { signal: 1 / Math.hypot(sigma, 1), noise: sigma / Math.hypot(sigma, 1) }
}

/**
 * Median distance between the ends of a run and of the exact paths from its starts: a mean would show little but the few
 * samples that end at another island.
 */
function pathError({ start, from, end, to }: Run): number {
  const exact = flowed(start, from, to, 300)
  const size = to.signal + to.noise
  const distances = Float64Array.from({ length: end.length / 2 }, (_, i) =>
    Math.hypot(exact[2 * i]! - end[2 * i]! / size, exact[2 * i + 1]! - end[2 * i + 1]! / size),
  )
  return distances.sort()[Math.floor(distances.length / 2)]!
}

function distributionError(end: Float32Array | Float64Array): number {
  const normals = philox(2)
  return slicedDistance(end, dataPoints(end.length / 2, normals.draw(normals.begin(), end.length).values))
}
