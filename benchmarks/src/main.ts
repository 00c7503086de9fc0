import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, platform, release } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { report } from './report.ts'
import type { Library, Measurement, Results, Session } from './results.ts'
import { workloads } from './workloads.ts'

/** Longest that one library may take. */
const limit = 15 * 60_000
const folder = join(import.meta.dirname, '..')
const peers = existsSync(join(folder, 'peers/node_modules')) ? ['tfjs', 'jax-js'] : []
if (peers.length === 0) console.error('The peers are not installed; `npm run bench:peers` does that. Measuring Antipode alone.')
const chosen = process.argv.slice(2)

const load: Record<string, number> = {}
const libraries: (Library & { measurements: Measurement[] })[] = []
for (const name of ['antipode', ...peers]) {
  load[name] = loadavg()[0] ?? 0
  console.error(`${name}, load ${load[name].toFixed(1)}`)
  const found = await session(name)
  if (found) libraries.push(found)
}
const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  host: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node, platform: `${platform()} ${release()}`, load },
  libraries,
}
const rows = Object.entries(workloads).filter(([id]) => chosen.length === 0 || chosen.includes(id)).map(([id, make]) => {
  const { title, work } = make()
  return { id, title, work }
})
const text = report(results, rows)
if (chosen.length > 0) console.log(text)
else {
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(join(folder, 'RESULTS.md'), text)
  console.error('Wrote benchmarks/RESULTS.md and benchmarks/results.json.')
}

/** Runs one library in a process of its own. */
async function session(name: string): Promise<(Library & { measurements: Measurement[] }) | undefined> {
  const child = spawn(process.execPath, ['--conditions=@antipode/source', '--import', 'tsx', join(folder, 'src/child.ts'), name, ...(chosen.length > 0 ? [chosen.join(',')] : [])], {
    stdio: ['ignore', 'pipe', 'ignore'], timeout: limit,
  })
  let library: Library | undefined
  const measurements: Measurement[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    // Libraries print notices of their own.
    if (!line.startsWith('{')) continue
    const said = JSON.parse(line) as Partial<Session>
    library ??= said.library
    if (!said.measurement) continue
    const { id, problem, wall = 0 } = said.measurement
    console.error(`  ${id}: ${problem ?? `${wall.toFixed(1)} ms`}`)
    measurements.push(said.measurement)
  }
  return library && { ...library, measurements }
}
