import type { Comparison, Measurement, Results } from '../results.ts'
import { geometricMean, median, pairedRatio, type Spread } from '../statistics.ts'

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

/** FLOP a millisecond of the largest square product that the first library was timed at: what its models are held against. */
export function productRate({ libraries, comparisons }: Results): { readonly title: string; readonly rate: number } | undefined {
  const squares = comparisons.filter(({ id }) => /^matmul-\d+$/.test(id)).sort((a, b) => b.work.amount - a.work.amount)
  for (const { title, work, measurements } of squares) {
    const wall = median(measurements.find(({ library }) => library === libraries[0]?.name)?.wall ?? [])
    if (wall > 0) return { title, rate: work.amount / wall }
  }
  return undefined
}

/** Adapters that libraries told of; one with a Dawn of its own tells nothing, and neither does one that has no GPU. */
export function adapters({ libraries }: Results): string[] {
  return [...new Set(libraries.map(({ adapter }) => adapter).filter((name) => name !== ''))]
}

/** Whether what ran WebGPU here computes on the CPU. */
export const onSoftware = ({ libraries }: Results): boolean => libraries.some(({ software }) => software)
