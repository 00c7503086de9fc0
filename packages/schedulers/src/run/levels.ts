import { refuse } from '../errors.ts'
import type { NoiseLevel } from '../schedule/index.ts'
import type { SamplingPlan, SchedulerState } from './contract.ts'

/**
 * Checks that the noise of a plan falls from call to call and to its end (or rises, as an inversion's does), and that
 * every level is one: signal and noise, neither below 0. Calls at one level change nothing, or are two of one step.
 * @throws {SchedulerError} naming the levels that do not
 */
export function checkLevels(
  name: string,
  plan: SamplingPlan,
  rises: boolean,
  levelOf: (state: SchedulerState<unknown>) => NoiseLevel,
): void {
  const { timesteps, sigmas } = plan
  // The level at a run's end is that of one more call there.
  const longer = sigmas === undefined ? plan : { ...plan, timesteps: [...timesteps, 0] }
  const levels = longer.timesteps.map((_, step) => levelOf({ plan: longer, step, history: [], slots: {}, numbers: {} }))
  const show = (call: number): string => String((sigmas ?? timesteps)[call])
  const unsound = levels.findIndex(({ signal, noise }) => !(signal >= 0 && noise >= 0 && signal + noise < Infinity))
  if (unsound >= 0) {
    refuse(`${name}.timesteps`, 'levels of signal and noise', `${show(unsound)} at call ${unsound}`, 'check mu, sigmas and the ends of a curve')
  }
  const sign = rises ? -1 : 1
  const wrong = levels.findIndex((level, i) => i > 0 && sign * compare(levels[i - 1]!, level) < 0)
  if (wrong < 0) return
  const advice = 'take fewer steps where rescaleBetasZeroSnr sets the last timestep below the one before, or swap the ends of a curve'
  refuse(`${name}.timesteps`, `noise levels that ${rises ? 'rise' : 'fall'}`, `${show(wrong - 1)} before ${show(wrong)} at call ${wrong}`, advice)
}

/** Above 0 where the first has more noise for its signal. */
function compare(one: NoiseLevel, other: NoiseLevel): number {
  return one.noise * other.signal - other.noise * one.signal
}
