import type { Measurement, Results } from './results.ts'

/** What the report needs of a workload. */
export interface Row {
  readonly id: string
  readonly title: string
  readonly work: { readonly amount: number; readonly unit: 'FLOP' | 'byte' | 'op' }
}

const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2))

/** GFLOPS, GB/s, or µs per operation, of a time in milliseconds. */
export function rate({ amount, unit }: Row['work'], milliseconds: number): string {
  if (unit === 'op') return `${digits((1000 * milliseconds) / amount)} µs/op`
  return `${digits(amount / milliseconds / 1e6)} ${unit === 'FLOP' ? 'GFLOPS' : 'GB/s'}`
}

/** The report as Markdown: rates by wall clock, CPU time where the adapter computes on the CPU, ratios, first runs, errors. */
export function report({ date, host, libraries }: Results, rows: readonly Row[]): string {
  const find = (library: number, id: string): Measurement | undefined => libraries[library]?.measurements.find((m) => m.id === id)
  const table = (cell: (m: Measurement | undefined, row: Row) => string): string => [
    `| workload | ${libraries.map(({ name }) => name).join(' | ')} |`,
    `| --- |${libraries.map(() => ' ---: |').join('')}`,
    ...rows.map((row) => `| ${row.title} | ${libraries.map((_, i) => cell(find(i, row.id), row)).join(' | ')} |`),
  ].join('\n')
  const timed = (cell: (m: Required<Measurement>, row: Row) => string) => (m: Measurement | undefined, row: Row): string =>
    m?.wall === undefined ? m?.problem?.startsWith('wrong') ? 'wrong result' : '–' : cell(m as Required<Measurement>, row)
  const ratio = (key: 'wall' | 'cpu'): string => table((m, row) => {
    const own = find(0, row.id)?.[key]
    const other = m?.[key]
    return own === undefined || other === undefined ? '–' : `${digits(other / own)}×`
  })
  const software = libraries.some((library) => library.software)
  const problems = libraries.flatMap(({ name, measurements }) => measurements.filter(({ problem }) => problem).map(({ id, problem }) => `- ${name}, ${id}: ${problem}`))
  return `# Benchmarks

${date}, ${host.cpu}, ${host.cores} cores, ${host.platform}, Node ${host.node}. Adapter: ${[...new Set(libraries.map(({ adapter }) => adapter))].join('; ')}.
${libraries.map(({ name, version }) => `${name} ${version}`).join(', ')}. Each library ran in a process of its own, one after the other; the load average when it
began was ${Object.entries(host.load).map(([name, load]) => `${load.toFixed(1)} (${name})`).join(', ')}${Object.values(host.load).some((load) => load > 1) ? `, so other work took part of the ${host.cores} cores: **read wall-clock numbers as lower bounds, and ratios below 1.5 as ties**` : ''}.
Everything is f32. Before anything is timed, its result is checked against float64.
${software ? '\nThe adapter computes on the CPU. What is fastest here says nothing about the order on a real GPU.\n' : ''}
## Wall clock

Median of repeated runs after five for warm-up, waiting for the GPU after each.

${table(timed(({ wall }, { work }) => rate(work, wall)))}
${software ? `
## CPU time

What all cores would do if none was taken by others: the work over (CPU time of all threads ÷ ${host.cores}). It is steadier than wall clock on a busy
machine, and flatters what scales badly over cores. It also flatters ${libraries[0]?.name ?? 'ours'}, which sleeps through most of a wait: Dawn's binding to
Node polls while something is awaited, and in the others' columns that counts.

${table(timed(({ cpu }, { work }) => rate(work, cpu / host.cores)))}
` : ''}
## Time of others over ${libraries[0]?.name ?? 'ours'}

By wall clock:

${ratio('wall')}
${software ? `\nBy CPU time:\n\n${ratio('cpu')}\n` : ''}
## First run

Milliseconds to the first result. The driver caches compiled shaders on disk, so this depends on what ran before.

${table(timed(({ first }) => digits(first)))}

## Largest error against float64

Relative to the root mean square of the true values; of the training step, of its loss and of the slope along its update.

${table(timed(({ error }) => error.toExponential(1)))}
${problems.length > 0 ? `\n## Not measured\n\n${problems.join('\n')}\n` : ''}`
}
