import type { Results } from '../results.ts'
import { adapters, onSoftware, summaries } from './facts.ts'
import { digits, percent } from './format.ts'
import { problems, ratios, type Table, tables } from './tables.ts'

/** A table in Markdown whose columns line up in plain text too. */
function markdownTable({ columns, rows }: Table): string {
  const widths = columns.map((_, i) => Math.max(4, ...[columns, ...rows].map((row) => (row[i] ?? '').length)))
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(columns), rule, ...rows.map(line)].join('\n')
}

/** What must be known of a library to read its numbers. */
const remarks: Readonly<Record<string, string>> = {
  numpy: 'numpy computes on the cores with its BLAS, not by WebGPU: it shows what a software adapter costs.',
  'onnxruntime-node': 'onnxruntime-node has a Dawn of its own and no way to keep inputs on the GPU: its times are slopes over graphs of different lengths.',
}

/** Where the numbers come from, in sentences. */
export function provenance(results: Results): string[] {
  const { date, host, libraries, rounds, comparisons } = results
  const foreign = Math.max(0, ...comparisons.map((c) => c.foreign))
  const idle = Math.max(0, ...comparisons.map((c) => c.idle))
  return [
    `${date}, ${host.cpu}, ${host.cores} cores, ${host.platform}, Node ${host.node}. Adapter: ${adapters(results).join('; ')}.`,
    `${libraries.map(({ name, version }) => `${name} ${version}`).join(', ')}: each in a process of its own, in turn A B C A B C, ${rounds} rounds a workload, ` +
      'one at a time. Results were checked against float64 before anything was timed; f32 where nothing else is said.',
    ...libraries.flatMap(({ name }) => remarks[name] ?? []),
    ...(onSoftware(results) ? ['The adapter computes on the CPU. What is fastest here says nothing about the order on a real GPU.'] : []),
    foreign > 0.05
      ? `Other work took up to ${percent(foreign)} of the cores while a workload was timed: read wall-clock times as upper bounds, and ratios below 1.5 as ties.`
      : 'Nothing else took more than 5 % of the cores while a workload was timed; read ratios below 1.1 as ties.',
    ...(idle > 0.02 ? [`A library used ${percent(idle)} of a core while it was another's turn.`] : []),
  ]
}

/** One sentence for each library on all workloads together. */
export function verdicts(results: Results): string[] {
  const first = results.libraries[0]?.name ?? ''
  return summaries(results).map(({ library, workloads, wall, ahead }) =>
    `${library} took ${digits(wall)} times as long as ${first} (geometric mean over ${workloads} workload${workloads === 1 ? '' : 's'}) and was faster in ${ahead}.`)
}

/** What the terminal shows: the main table, then what went wrong. */
export function renderTable(results: Results): string {
  const own = tables(results).filter(({ heading }) => heading === 'Models of ours' || heading.startsWith('A step of sampling'))
  const shown = [...(ratios(results, 'wall').rows.length > 0 ? [ratios(results, 'wall')] : []), ...own]
  return [...provenance(results), '', ...shown.flatMap((table) => [table.prose, '', markdownTable(table), '']), ...verdicts(results), ...problems(results)].join('\n')
}

/** RESULTS.md. */
export function renderMarkdown(results: Results): string {
  const lines = problems(results)
  return [
    '# Benchmarks', provenance(results).join('\n'), verdicts(results).map((text) => `- ${text}`).join('\n'),
    ...tables(results).map((table) => `## ${table.heading}\n\n${table.prose}\n\n${markdownTable(table)}`),
    ...(lines.length > 0 ? [`## Not measured, or not wholly\n\n${lines.map((text) => `- ${text}`).join('\n')}`] : []),
  ].filter((part) => part !== '').join('\n\n').concat('\n')
}
