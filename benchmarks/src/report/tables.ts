import type { Comparison, Measurement, Results, Trace } from '../results.ts'
import { median } from '../statistics.ts'
import { type Clock, firstResults, measurementOf, onSoftware, ratioOf, shareOf, split } from './facts.ts'
import { bytesText, digits, percent, rate, ratioText } from './format.ts'

/** A table of the report, whatever it is rendered as. The first column is text, the others are numbers. */
export interface Table {
  readonly heading: string
  readonly prose: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Microseconds of CPU time that a step of sampling may take besides its model. */
export const stepTarget = 50

const none = '–'
const nameless = (m: Measurement | undefined): string => (m?.problem?.startsWith('wrong') ? 'wrong result' : none)

/** A table with a column for each library. */
function byLibrary(
  { libraries }: Results, comparisons: readonly Comparison[], text: Pick<Table, 'heading' | 'prose'>,
  cell: (comparison: Comparison, library: string) => string | undefined,
): Table {
  const names = libraries.map(({ name }) => name).filter((name) => comparisons.some((c) => measurementOf(c, name)))
  return {
    ...text, columns: ['workload', ...names],
    rows: comparisons.map((c) => [c.title, ...names.map((name) => cell(c, name) ?? nameless(measurementOf(c, name)))]),
  }
}

/** The main table: the first library's rate, and how many times longer the others took. */
export function ratios(results: Results, clock: Clock): Table {
  const first = results.libraries[0]?.name ?? ''
  const cores = clock === 'cpu' ? results.host.cores : 1
  const prose = clock === 'wall'
    ? `The rate of ${first} by wall clock; of every other library how many times longer it took, as the median over rounds with their range. Below 1 it is faster.`
    : `The same by CPU time of all threads, with the rate that all cores would reach if nothing else ran. It is steadier than wall clock on a busy ` +
      `machine, flatters what scales badly over cores, and flatters ${first}, which sleeps through most of a wait: Dawn's binding to Node polls while ` +
      'something is awaited, and in the others\' columns that counts.'
  return byLibrary(results, split(results).shared, { heading: clock === 'wall' ? `Times as long as ${first}` : 'By CPU time', prose }, (c, name) => {
    const times = measurementOf(c, name)?.[clock] ?? []
    if (times.length === 0) return undefined
    if (name === first) return rate(c.work, median(times) / cores)
    const spread = ratioOf(c, first, name, clock)
    return spread ? ratioText(spread) : rate(c.work, median(times) / cores)
  })
}

/** What only the first library does, against its own matrix product. */
function ownModels(results: Results): Table {
  const first = results.libraries[0]?.name ?? ''
  const { models } = split(results)
  const beside = models.find((c) => c.beside)?.beside
  return {
    heading: 'Models of ours',
    prose: 'Floating-point operations are those of matrix products, convolutions and attention, forward and backward. ' +
      (beside ? `The last column is their rate as a share of the rate of ${beside.title}, timed in turn with them, and the range of rounds.` : 'No matrix product was timed beside them.'),
    columns: ['workload', 'wall clock', 'CPU time', 'rate', 'share'],
    rows: models.map((c) => {
      const m = measurementOf(c, first)
      if (!m || m.wall.length === 0) return [c.title, ...new Array<string>(4).fill(nameless(m))]
      const wall = median(m.wall)
      const share = shareOf(c, m)
      return [c.title, `${digits(wall)} ms`, `${digits(median(m.cpu))} ms`, rate(c.work, wall), share ? `${percent(share.median)} (${percent(share.min)}–${percent(share.max)})` : none]
    }),
  }
}

/** What a sampling step costs besides its model. */
function schedulerSteps(results: Results): Table {
  const first = results.libraries[0]?.name ?? ''
  return {
    heading: 'A step of sampling without its model',
    prose: `CPU time of JavaScript's thread for one step on a latent image 1×4×64×64, waits for the GPU left out: the solver's arithmetic, its graph, ` +
      `encoding and submitting. The target is ${stepTarget} µs.`,
    columns: ['workload', 'CPU time', 'range of rounds', 'target met'],
    rows: split(results).steps.map((c) => {
      const m = measurementOf(c, first)
      if (!m || m.cpu.length === 0) return [c.title, ...new Array<string>(3).fill(nameless(m))]
      const micro = m.cpu.map((cpu) => (1000 * cpu) / c.work.amount)
      return [c.title, `${digits(median(micro))} µs`, `${digits(Math.min(...micro))}–${digits(Math.max(...micro))}`, median(micro) < stepTarget ? 'yes' : 'no']
    }),
  }
}

function traceText({ dispatches, submits, bindGroups, bytes }: Trace): string {
  return `${dispatches} / ${submits} / ${bindGroups} / ${bytesText(bytes)}`
}

/** Every table of the report that has something to say. */
export function tables(results: Results): Table[] {
  const { comparisons } = results
  return [
    ratios(results, 'wall'),
    ...(onSoftware(results) ? [ratios(results, 'cpu')] : []),
    ownModels(results),
    schedulerSteps(results),
    byLibrary(results, comparisons, {
      heading: 'Milliseconds of a run',
      prose: 'Median of all runs by wall clock, and the quartiles in brackets. Runs shorter than 4 ms are started in groups and waited for once.',
    }, (c, name) => {
      const m = measurementOf(c, name)
      if (!m || m.wall.length === 0) return undefined
      return m.quartiles ? `${digits(median(m.wall))} [${m.quartiles.map(digits).join(', ')}]` : `${digits(median(m.wall))}, once`
    }),
    byLibrary(results, firstResults(results), {
      heading: 'Milliseconds to the first result',
      prose: 'From the upload to the first result in a fresh process: while the driver has no compiled shaders / when it has them all. ' +
        'A library of Python keeps its process, so it has but the second.',
    }, (c, name) => {
      const { cold, warm } = measurementOf(c, name) ?? {}
      if (cold === undefined && warm === undefined) return undefined
      return [cold, warm].map((t) => (t === undefined ? none : digits(t))).join(' / ')
    }),
    byLibrary(results, comparisons, {
      heading: 'Calls of WebGPU in a run',
      prose: 'Dispatches / submissions / bind groups made / bytes of buffers made, in one run after the timed ones. A library with a Dawn of its own cannot be watched.',
    }, (c, name) => {
      const trace = measurementOf(c, name)?.trace
      return trace ? traceText(trace) : none
    }),
    byLibrary(results, comparisons, {
      heading: 'Largest error against float64',
      prose: 'Relative to the root mean square of the true values; of a training step, of its loss and of the slope along its update or the norm of its gradient.',
    }, (c, name) => {
      const error = measurementOf(c, name)?.error
      return error === undefined ? none : error > 1e3 ? 'boundless' : error.toExponential(1)
    }),
  ].filter(({ rows, columns }) => rows.length > 0 && columns.length > 1)
}

/** What went wrong, and what was left out, a line each. */
export function problems({ comparisons, absent }: Results): string[] {
  return [
    ...Object.entries(absent).map(([name, why]) => `${name}: ${why}`),
    ...comparisons.flatMap(({ id, measurements }) => measurements.flatMap(({ library, problem }) => (problem === undefined ? [] : [`${library}, ${id}: ${problem}`]))),
  ]
}
