import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, platform, release } from 'node:os'
import { join } from 'node:path'
import { libraries } from './libraries.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { renderMarkdown, renderPage, renderTable } from './report/index.ts'
import type { Comparison, Library, Results } from './results.ts'
import { compare } from './run/compare.ts'
import { Processes } from './run/processes.ts'
import { workloadIds, workloadOf, workloadsOf } from './workloads/index.ts'

/** What the rates of our models are held against: the largest product of two square matrices. */
const yardstick = 'matmul-2048'

const args = process.argv.slice(2)
if (args.includes('--help')) console.log(usage)
else if (args.includes('--list')) console.log([...workloadIds, '', ...Object.keys(libraries)].join('\n'))
else await run(options())

function options(): Options {
  try {
    const parsed = parseOptions(args, join(import.meta.dirname, '..'))
    const unknown = parsed.only.find((name) => !(name in libraries))
    if (unknown !== undefined) throw new TypeError(`benchmarks: expected libraries among ${Object.keys(libraries).join(', ')}, got ${unknown}`)
    workloadsOf(parsed.workloads)
    return parsed
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return process.exit(1)
  }
}

/** Compares workload after workload, and writes what is known after each: a full run takes long. */
async function run({ workloads, rounds, only, cold, quick, out }: Options): Promise<void> {
  const wanted = only.length > 0 ? only : Object.keys(libraries).filter((name) => !libraries[name]?.onRequest)
  const absent = Object.fromEntries(wanted.flatMap((name) => {
    const why = libraries[name]?.missing()
    return why === undefined ? [] : [[name, why]]
  }))
  for (const [name, why] of Object.entries(absent)) console.error(`without ${name}: ${why}`)
  const present = wanted.filter((name) => !(name in absent))
  const met = new Map<string, Library>()
  const comparisons: Comparison[] = []
  const results = (): Results => ({
    date: new Date().toISOString().slice(0, 10),
    host: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node, platform: `${platform()} ${release()}` },
    rounds, libraries: present.flatMap((name) => met.get(name) ?? []), absent, comparisons,
  })
  await using processes = new Processes((name) => libraries[name]?.lasting === true)
  for (const workload of workloadsOf(workloads)) {
    const able = present.filter((name) => libraries[name]?.does(workload))
    if (able.length === 0) continue
    console.error(workload.title)
    const beside = workload.group === 'models of ours' ? workloadOf(yardstick) : undefined
    comparisons.push(await compare(workload, {
      libraries: able, processes, rounds, beside, cold, quick, say: console.error, met: (library) => met.set(library.name, library),
    }))
    if (out !== undefined) write(out, results())
  }
  console.log(renderTable(results()))
}

function write(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(join(folder, 'RESULTS.md'), renderMarkdown(results))
  writeFileSync(join(folder, 'results.html'), renderPage(results))
}
