import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Comparison, Library, Measurement } from '../results.ts'
import { median, quantile } from '../statistics.ts'
import type { Timing, Workload } from '../workload.ts'
import { machineTime } from '../cpu-time.ts'
import type { LibraryProcess } from './library-process.ts'
import { patience, type Processes } from './processes.ts'

/** Milliseconds of runs in a library's turn. */
const turn = 400
/** A library whose one run takes longer than this is timed once and not in rounds. */
const slowest = 20_000

/** How a comparison is made. */
export interface CompareOptions {
  readonly libraries: readonly string[]
  readonly processes: Processes
  readonly rounds: number
  /** A workload that the first library runs in a process of its own, in the same rounds. */
  readonly beside?: Workload | undefined
  /** Whether to start each library with no compiled shaders first. */
  readonly cold: boolean
  /** Whether all get ready at once. */
  readonly quick: boolean
  readonly say: (text: string) => void
  readonly met: (library: Library) => void
}

/** A library in its place, with what is known of it so far. */
interface Entrant {
  readonly name: string
  process: LibraryProcess | undefined
  measurement: Measurement
  timings: Timing[]
}

/**
 * Measures libraries on a workload. Each is started, run, checked and warmed up, alone unless that is to be quick; then all are
 * asked in turn, A B C A B C, for a batch of runs, and only one computes at a time. What is timed beside takes its turn last.
 */
export async function compare(workload: Workload, options: CompareOptions): Promise<Comparison> {
  const { id, title, group, work } = workload
  const { beside, processes } = options
  const shaderCaches = options.cold ? mkdtempSync(join(tmpdir(), 'antipode-bench-shaders-')) : undefined
  const entrants: Entrant[] = []
  const machine = { idle: 0, foreign: 0, milliseconds: 0 }
  try {
    const [first] = options.libraries
    const entries = [
      ...options.libraries.map((name) => () => enter(name, id, shaderCaches && processes.fresh(name) ? join(shaderCaches, name) : undefined, options)),
      ...(beside && first !== undefined ? [() => enter(first, beside.id, undefined, options)] : []),
    ]
    if (options.quick) entrants.push(...await Promise.all(entries.map((entry) => entry())))
    else for (const entry of entries) entrants.push(await entry())
    for (let round = 0; round < options.rounds; round++) {
      for (const entrant of entrants) {
        if (!entrant.process) continue
        const begun = { wall: performance.now(), busy: machineTime() }
        const reply = await attempt(entrant, options, (process) => process.ask({ do: 'sample', milliseconds: turn }, patience.later))
        if (!reply) continue
        const { timings, idle, busy } = reply
        machine.idle += idle
        machine.foreign += machineTime() - begun.busy - Math.max(busy, timings.reduce((sum, { cpu }) => sum + cpu, 0))
        machine.milliseconds += performance.now() - begun.wall
        entrant.timings.push(...timings)
        const { measurement: m } = entrant
        entrant.measurement = {
          ...m, wall: [...m.wall, median(timings.map(({ wall }) => wall))], cpu: [...m.cpu, median(timings.map(({ cpu }) => cpu))],
        }
      }
    }
    for (const entrant of entrants) await finish(entrant, options)
  } finally {
    await Promise.all(entrants.map((entrant) => leave(entrant, options)))
    if (shaderCaches) rmSync(shaderCaches, { recursive: true, force: true })
  }
  const measurements = entrants.map(({ measurement }) => measurement)
  const last = beside && measurements.pop()
  return {
    id, title, group, work, measurements, ...(beside && last && { beside: { title: beside.title, work: beside.work, wall: last.wall } }),
    foreign: machine.milliseconds > 0 ? Math.max(0, machine.foreign / (machine.milliseconds * cpus().length)) : 0,
    idle: machine.milliseconds > 0 ? machine.idle / machine.milliseconds : 0,
  }
}

/**
 * Starts a library, checks its result, and leaves it running if it may be timed in rounds. Given a folder for compiled shaders,
 * it is started twice: once while that is empty.
 */
async function enter(name: string, id: string, shaderCache: string | undefined, options: CompareOptions): Promise<Entrant> {
  const { processes, quick, say, met } = options
  const entrant: Entrant = { name, process: undefined, measurement: { library: name, wall: [], cpu: [], runs: 0 }, timings: [] }
  try {
    if (shaderCache) {
      mkdirSync(shaderCache)
      await using process = await processes.start(name, shaderCache)
      entrant.measurement = { ...entrant.measurement, cold: (await process.ask({ do: 'first', id }, patience.first)).milliseconds }
    }
    entrant.process = await processes.start(name, shaderCache)
    met(entrant.process.library)
    const { milliseconds: warm } = await entrant.process.ask({ do: 'first', id }, patience.first)
    if (!quick) entrant.measurement = { ...entrant.measurement, warm }
    const { error, tolerance } = await entrant.process.ask({ do: 'check' }, patience.later)
    entrant.measurement = { ...entrant.measurement, error }
    if (!(error <= tolerance)) throw new TypeError(`wrong: error ${error.toExponential(1)} is above ${tolerance}`)
    const { milliseconds } = await entrant.process.ask({ do: 'warm' }, patience.later)
    if (milliseconds > slowest) {
      entrant.measurement = { ...entrant.measurement, wall: [milliseconds], runs: 1 }
      throw new TypeError(`too slow to repeat: one run took ${(milliseconds / 1000).toFixed(0)} s`)
    }
  } catch (error) {
    await give(entrant, options, error)
  }
  const { problem, cold, warm } = entrant.measurement
  const first = warm === undefined ? 'ready' : `first result ${[cold, warm].map((t) => t?.toFixed(0) ?? '–').join(' cold, ')} ms warm`
  say(`  ${name}: ${problem ?? first}`)
  return entrant
}

/** Quartiles and counted calls, at the end. */
async function finish(entrant: Entrant, options: CompareOptions): Promise<void> {
  const walls = entrant.timings.map(({ wall }) => wall)
  if (walls.length === 0) return
  if (!(median(entrant.measurement.wall) > 0)) {
    entrant.measurement = { ...entrant.measurement, wall: [], cpu: [], problem: 'too noisy: its time is less than the noise of its slope' }
    return
  }
  entrant.measurement = { ...entrant.measurement, quartiles: [quantile(walls, 0.25), quantile(walls, 0.75)], runs: walls.length }
  options.say(`  ${entrant.name}: ${median(entrant.measurement.wall).toPrecision(4)} ms`)
  const reply = await attempt(entrant, options, (process) => process.ask({ do: 'trace' }, patience.later))
  if (reply?.trace) entrant.measurement = { ...entrant.measurement, trace: reply.trace }
}

/** The answer of a library that is still there; one that fails is out. */
async function attempt<T>(entrant: Entrant, options: CompareOptions, ask: (process: LibraryProcess) => Promise<T>): Promise<T | undefined> {
  if (!entrant.process) return undefined
  try {
    return await ask(entrant.process)
  } catch (error) {
    await give(entrant, options, error)
    return undefined
  }
}

/** Gives a library up and says why. */
async function give(entrant: Entrant, options: CompareOptions, error: unknown): Promise<void> {
  const problem = error instanceof TypeError ? error.message : String(error)
  entrant.measurement = { ...entrant.measurement, problem }
  await leave(entrant, options)
}

/** Hands its process back. */
async function leave(entrant: Entrant, { processes }: CompareOptions): Promise<void> {
  const { name, process } = entrant
  entrant.process = undefined
  if (process) await processes.release(name, process)
}
