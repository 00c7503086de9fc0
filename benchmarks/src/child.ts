import { performance } from 'node:perf_hooks'
import type { Measurement, Session } from './results.ts'
import type { Prepared, Runner } from './workload.ts'
import { workloads } from './workloads.ts'

const [, , library = 'antipode', wanted = Object.keys(workloads).join(',')] = process.argv
const warmUps = 5
const minRuns = 3
const maxRuns = 25
const secondsEach = 3

const modules: Readonly<Record<string, () => Promise<{ open: () => Promise<Runner> }>>> = {
  antipode: () => import('./antipode.ts'),
  tfjs: async () => import('../peers/tfjs.mjs' as string),
  'jax-js': async () => import('../peers/jax.mjs' as string),
}
const module = modules[library]
if (!module) throw new TypeError(`benchmarks: expected ${Object.keys(modules).join(' or ')}, got ${library}`)
const runner = await (await module()).open()
const { name, version, adapter, software } = runner
say({ library: { name, version, adapter, software } })
for (const id of wanted.split(',')) say({ measurement: await measure(id).catch((error: unknown) => ({ id, problem: String(error).slice(0, 200) })) })
// Libraries and Dawn keep handles open.
process.exit(0)

async function measure(id: string): Promise<Measurement> {
  const make = workloads[id]
  if (!make) throw new TypeError(`benchmarks: expected one of ${Object.keys(workloads).join(', ')}, got ${id}`)
  const workload = make()
  const prepared = await runner.prepare(workload)
  const first = await time(prepared)
  const error = workload.error(await prepared.read())
  if (!(error <= workload.tolerance)) return { id, error, problem: `wrong: error ${error.toExponential(1)} is above ${workload.tolerance}` }
  for (let i = 0; i < warmUps; i++) await prepared.run()
  const runs: { wall: number; cpu: number }[] = []
  const begun = performance.now()
  while (runs.length < minRuns || runs.length < maxRuns && performance.now() - begun < 1000 * secondsEach) runs.push(await time(prepared))
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
  return {
    id, error, first: first.wall, runs: runs.length,
    wall: median(runs.map(({ wall }) => wall)), best: Math.min(...runs.map(({ wall }) => wall)), cpu: median(runs.map(({ cpu }) => cpu)),
  }
}

/** Milliseconds of wall clock and of CPU time, of all threads, for one run. */
async function time(prepared: Prepared): Promise<{ wall: number; cpu: number }> {
  const [begun, before] = [performance.now(), process.cpuUsage()]
  await prepared.run()
  const { user, system } = process.cpuUsage(before)
  return { wall: performance.now() - begun, cpu: (user + system) / 1000 }
}

function say(line: Partial<Session>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
