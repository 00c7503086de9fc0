import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, platform, release } from 'node:os'
import { join } from 'node:path'
import { libraries } from './libraries.ts'
import { type Options, resultFiles } from './options.ts'
import { renderMarkdown, renderPage, renderTable } from './report/index.ts'
import type { Comparison, Library, Results } from './results.ts'
import { compare, Processes } from './run/index.ts'
import type { Workload } from './workload.ts'
import { workloadIds, workloadOf } from './workloads/index.ts'

export { workloadsOf } from './workloads/index.ts'

/** What the rates of our models are held against: the largest product of two square matrices. */
const yardstick = 'matmul-2048'

/** Ids of the workloads and names of the libraries, a line each. */
export function list(): string {
  return [...workloadIds, '', ...Object.keys(libraries)].join('\n')
}

/**
 * Builds the packages, compares workload after workload, and writes what is known after each: a full run takes long.
 * @throws {TypeError} if the packages cannot be built
 */
export async function run(workloads: readonly Workload[], { rounds, only, cold, quick, out }: Omit<Options, 'workloads'>): Promise<void> {
  build()
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
  for (const workload of workloads) {
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

/** What is measured is what users get: the libraries' processes load what is built. */
function build(): void {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: join(import.meta.dirname, '../..'), stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32',
  })
  if (status !== 0) throw new TypeError('benchmarks: expected the packages to build, got a failure; npm run build tells more')
}

function write(folder: string, results: Results): void {
  const texts = { json: `${JSON.stringify(results, null, 2)}\n`, markdown: renderMarkdown(results), page: renderPage(results) }
  for (const kind of ['json', 'markdown', 'page'] as const) writeFileSync(join(folder, resultFiles[kind]), texts[kind])
}
