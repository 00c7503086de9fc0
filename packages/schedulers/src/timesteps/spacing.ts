import { refuse, show } from '../errors.ts'
import { choice, integer, type Fields } from '../config/index.ts'
import { linspace, roundHalfEven } from '../numeric/index.ts'

/** Where N timesteps lie among T: arXiv 2305.08891, table 2. */
export type TimestepSpacing = 'linspace' | 'leading' | 'trailing'

/** The options of timestep spacing. */
export interface SpacingConfig {
  readonly timestepSpacing: TimestepSpacing
  /** Added to each timestep of 'leading'. */
  readonly stepsOffset: number
}

/** The options of timestep spacing with the default of a solver. */
export function spacingFields(fallback: TimestepSpacing): Fields<SpacingConfig> {
  return {
    timestepSpacing: choice(fallback, ['linspace', 'leading', 'trailing']),
    stepsOffset: integer(0, 0),
  }
}

/**
 * Timesteps in falling order, [count], not rounded for 'linspace'.
 * 'trailing' has exactly `count` entries; where T/count is not exact, numpy's arange can have one more, at −1.
 */
export function spacedTimesteps(config: SpacingConfig, trainSteps: number, count: number): number[] {
  switch (config.timestepSpacing) {
    case 'linspace':
      return linspace(0, trainSteps - 1, count).toReversed()
    case 'leading':
      return leading(Math.floor(trainSteps / count), count, config.stepsOffset)
    case 'trailing':
      return trailing(trainSteps, trainSteps / count, count)
    default:
      return config.timestepSpacing satisfies never
  }
}

/** (count − 1)·ratio + offset, …, ratio + offset, offset. */
export function leading(ratio: number, count: number, offset: number): number[] {
  return Array.from({ length: count }, (_, i) => (count - 1 - i) * ratio + offset)
}

/** last − 1, last − ratio − 1, …, each rounded, at most `count` of them and none below 0. */
export function trailing(last: number, ratio: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => roundHalfEven(last - i * ratio) - 1).filter((t) => t >= 0)
}

/**
 * Checks timesteps chosen by the caller.
 * @throws {SchedulerError} unless they fall (or, for an inversion, rise) strictly within [0, T) and, where asked, are whole
 */
export function checkTimesteps(
  name: string,
  timesteps: readonly number[],
  trainSteps: number,
  { whole, rising = false }: { readonly whole: boolean; readonly rising?: boolean },
): void {
  const last = trainSteps - 1
  const ordered = (t: number, i: number): boolean => {
    const before = timesteps[i - 1]
    return before === undefined || (rising ? t > before : t < before)
  }
  const wrong = timesteps.findIndex((t, i) => !(t >= 0 && t <= last && ordered(t, i) && (!whole || Number.isInteger(t))))
  if (timesteps.length > 0 && wrong < 0) return
  const [order, from, to] = rising ? ['rising', 0, last] : ['falling', last, 0]
  const got = timesteps.length === 0 ? 'none' : `${show(timesteps[wrong])} at index ${wrong}`
  refuse(`${name}.timesteps`, `${order} ${whole ? 'whole ' : ''}timesteps from ${from} to ${to}`, got, 'sort and check them')
}
