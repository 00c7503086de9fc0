import type { Linear } from '../linear/index.ts'
import { sharesOf, type ModelPrediction } from '../prediction/index.ts'
import { isDone, type SamplingPlan, type Scheduler, type SchedulerState } from '../run/index.ts'
import type { NoiseLevel } from '../schedule/index.ts'

// A run is linear in what its sample is made of. Followed in those parts, it says exactly what a solver leaves of each.

/** Shares of x₀, of the noise that the run began with, and of each noise drawn since. */
type Shares = readonly number[]

const linear: Linear<Shares> = {
  combine(terms) {
    const length = Math.max(...terms.map(([, shares]) => shares.length))
    return Array.from({ length }, (_, i) => terms.reduce((sum, [c, shares]) => sum + c * (shares[i] ?? 0), 0))
  },
  clamp: (shares) => shares,
}

/**
 * Shares of x₀ and of noise at the end of a run that begins at a step, with a model that knows x₀ and so says exactly how
 * much noise is in each sample.
 */
export function endOfExactRun(scheduler: Scheduler, plan: SamplingPlan, startAt: number): NoiseLevel {
  let state = scheduler.begin<Shares>(plan, startAt)
  const begin = scheduler.level(state)
  let sample: Shares = [begin.signal, begin.noise]
  let draws = 0
  while (!isDone(state)) {
    const fresh = scheduler.needsNoise(state) ? [...Array<number>(2 + draws++).fill(0), 1] : undefined
    const prediction = exactPrediction(scheduler, state, sample)
    ;({ state, sample } = scheduler.step(linear, state, prediction, sample, fresh, { x0: (x0) => x0 }))
  }
  const [signal = 0, ...noises] = sample
  return { signal, noise: Math.hypot(...noises) }
}

function exactPrediction(scheduler: Scheduler, state: SchedulerState<Shares>, sample: Shares): Shares {
  const level = scheduler.level(state)
  const clean = [1, 0]
  // Without noise there (an inversion's first step), the noise to come is the run's own.
  const noise = level.noise === 0 ? [0, 1] : linear.combine([[1 / level.noise, sample], [-level.signal / level.noise, clean]])
  if (scheduler.schedule === null) return scheduler.velocity(linear, clean, noise, state.plan.timesteps[state.step]!)
  const { predictionType = 'epsilon' } = scheduler.config as { predictionType?: ModelPrediction }
  const shares = sharesOf(predictionType, level)
  return linear.combine([[shares.clean, clean], [shares.noise, noise]])
}

/** Signal and noise that a plan ends at. */
export function plannedEnd(scheduler: Scheduler, plan: SamplingPlan): NoiseLevel {
  const { timesteps, sigmas, previous } = plan
  const { setAlphaToOne = true } = scheduler.config as { setAlphaToOne?: boolean }
  const last = previous?.at(-1)
  // Those that jump to a clean sample give it as it is.
  const clean = { signal: 1, noise: 0 }
  if (scheduler.name === 'consistency' || scheduler.name === 'lcm') return clean
  if (sigmas !== undefined) {
    // The level at the end is that of one more call there.
    const longer = { ...plan, timesteps: [...timesteps, 0], sigmas: [...sigmas, 0] }
    return scheduler.level({ plan: longer, step: timesteps.length, history: [], slots: {}, numbers: {} })
  }
  // An inversion ends at the timestep that it tells the model.
  if (last === undefined) return levelAt(scheduler, timesteps.at(-1)!)
  if (last >= 0) return levelAt(scheduler, last)
  return setAlphaToOne ? clean : levelAt(scheduler, 0)
}

/** The level that `addNoise` brings a clean sample to. */
function levelAt(scheduler: Scheduler, timestep: number): NoiseLevel {
  const [signal = 0, noise = 0] = scheduler.addNoise(linear, [1, 0], [0, 1], timestep)
  return { signal, noise }
}
