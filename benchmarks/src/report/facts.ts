import type { Comparison, Measurement, Results } from '../results.ts'
import { geometricMean, pairedRatio, type Spread } from '../statistics.ts'

/** Which time is meant. */
export type Clock = 'wall' | 'cpu'

/** A library's measurement in a comparison. */
export function measurementOf({ measurements }: Comparison, library: string): Measurement | undefined {
  return measurements.find((m) => m.library === library)
}

/** How many times longer a library took than the first, round by round; undefined unless both were timed. */
export function ratioOf(comparison: Comparison, first: string, library: string, clock: Clock): Spread | undefined {
  const ours = measurementOf(comparison, first)?.[clock]
  const theirs = measurementOf(comparison, library)?.[clock]
  return ours && theirs && pairedRatio(ours, theirs)
}

/** Comparisons of several libraries, and those that only the first can make. */
export function split({ comparisons }: Results): { readonly shared: readonly Comparison[]; readonly models: readonly Comparison[]; readonly steps: readonly Comparison[] } {
  return {
    shared: comparisons.filter(({ group }) => group !== 'models of ours' && group !== 'scheduler steps'),
    models: comparisons.filter(({ group }) => group === 'models of ours'),
    steps: comparisons.filter(({ group }) => group === 'scheduler steps'),
  }
}

/** One library against the first over all workloads that both did. */
export interface Summary {
  readonly library: string
  readonly workloads: number
  /** Geometric mean of the ratios of wall clock and of CPU time; above 1 it is slower than the first. */
  readonly wall: number
  readonly cpu: number
  /** Workloads in which it was faster than the first. */
  readonly ahead: number
}

/** {@link Summary} of every library but the first. */
export function summaries(results: Results): Summary[] {
  const [first, ...others] = results.libraries
  return others.flatMap(({ name }) => {
    const of = (clock: Clock): number[] => results.comparisons.flatMap((c) => ratioOf(c, first?.name ?? '', name, clock)?.median ?? []).filter((r) => r > 0)
    const walls = of('wall')
    return walls.length === 0 ? [] : [{ library: name, workloads: walls.length, wall: geometricMean(walls), cpu: geometricMean(of('cpu')), ahead: walls.filter((r) => r < 1).length }]
  })
}

/** Comparisons in which the time to somebody's first result was taken. */
export function firstResults({ comparisons }: Results): readonly Comparison[] {
  return comparisons.filter(({ measurements }) => measurements.some(({ warm, cold }) => warm !== undefined || cold !== undefined))
}

/** The rate of the first library as a share of that of what was timed beside it, round by round. */
export function shareOf({ work, beside }: Comparison, { wall }: Measurement): Spread | undefined {
  const ratio = beside && pairedRatio(wall, beside.wall)
  const scaled = (x: number): number => x * work.amount / (beside?.work.amount ?? 1)
  return ratio && { median: scaled(ratio.median), min: scaled(ratio.min), max: scaled(ratio.max) }
}

/** Adapters that libraries told of; one with a Dawn of its own tells nothing, and neither does one that has no GPU. */
export function adapters({ libraries }: Results): string[] {
  return [...new Set(libraries.map(({ adapter }) => adapter).filter((name) => name !== ''))]
}

/** Whether what ran WebGPU here computes on the CPU. */
export const onSoftware = ({ libraries }: Results): boolean => libraries.some(({ software }) => software)
