import type { Scheduler } from '../run/index.ts'

/**
 * The order of a solver that draws noise, on data N(0, ½²) and with a model that tells x₀ (`predictionType: 'sample'`):
 * all of its samples are normal there, so their variance is followed exactly through each step, and what is returned is
 * the logarithm of how much its error at the last step's start shrinks from `steps` to twice as many.
 */
export function varianceOrder(scheduler: Scheduler, steps: number): number {
  return Math.log2(varianceError(scheduler, steps) / varianceError(scheduler, 2 * steps))
}

/** What a step keeps of a start and of the noise that came in on the way: one coefficient each. */
type Shares = readonly number[]

function varianceError(scheduler: Scheduler, steps: number): number {
  const data = 0.25
  const adapter = {
    combine: (terms: readonly (readonly [number, Shares])[]): Shares => {
      const length = Math.max(...terms.map(([, shares]) => shares.length))
      return Array.from({ length }, (_, i) => terms.reduce((sum, [c, shares]) => sum + c * (shares[i] ?? 0), 0))
    },
  }
  let state = scheduler.begin<Shares>(steps)
  const end = state.plan.starts?.at(-1) ?? state.plan.timesteps.length - 1
  const start = scheduler.level(state)
  // Unit normals that the sample is made of: entry 0 is the start, each draw adds one more.
  let sample: Shares = [Math.hypot(start.signal * Math.sqrt(data), start.noise)]
  let draws = 1
  while (state.step < end) {
    const { signal, noise } = scheduler.level(state)
    const gain = (signal * data) / (signal ** 2 * data + noise ** 2)
    const clean = sample.map((share) => share * gain)
    const fresh = scheduler.needsNoise(state) ? Array.from({ length: ++draws }, (_, i) => Number(i === draws - 1)) : undefined
    ;({ state, sample } = scheduler.step(adapter, state, clean, sample, fresh))
  }
  const { signal, noise } = scheduler.level(state)
  return Math.abs(sample.reduce((sum, share) => sum + share ** 2, 0) / (signal ** 2 * data + noise ** 2) - 1)
}
