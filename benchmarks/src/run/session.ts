import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import type { Prepared, Problem, Runner, Timing } from '../workload.ts'
import { workloadOf } from '../workloads/index.ts'
import { processTime } from '../cpu-time.ts'
import type { Replies, Request } from './protocol.ts'
import { traced } from './trace.ts'

/** Milliseconds of runs before times count: so long V8 goes on compiling what is hot, on a core that the runs want themselves. */
const warmUpTime = 1000
/** Runs in one sample, at most. */
const maxRuns = 50
/** Shorter runs are timed in groups that are waited for once, as a program would run them. */
const shortRun = 4
const maxGroup = 100
/** Milliseconds of single runs that tell how many make a group. */
const sizing = 50

/** A process that uses less of a core than this is at rest; none is waited for longer than that many milliseconds. */
const rest = { share: 0.05, look: 200, patience: 90_000 }

/**
 * Resolves when nothing goes on in this process any more. Compiling in the background belongs to warming up, and must not take
 * cores from the libraries whose turn it is next: V8 goes on with the WebAssembly of onnxruntime for half a minute (measured).
 */
async function settled(): Promise<void> {
  const begun = performance.now()
  let busy = true
  while (busy && performance.now() - begun < rest.patience) {
    const [wall, cpu] = [performance.now(), processTime()]
    await setTimeout(rest.look)
    busy = (processTime() - cpu) / (performance.now() - wall) > rest.share
  }
}

/** One library on one workload. */
export class Session {
  readonly #runner: Runner
  #problem: Problem | undefined
  #prepared: Prepared | undefined
  /** Runs that are timed together; found out in its first turn, since others may compute while it warms up. */
  #group: number | undefined
  #answered = processTime()

  constructor(runner: Runner) {
    this.#runner = runner
  }

  /** Does what is asked. Rejects with whatever the library throws. */
  async answer(request: Exclude<Request, { do: 'quit' }>): Promise<Replies[keyof Replies]> {
    const begun = processTime()
    const idle = begun - this.#answered
    try {
      switch (request.do) {
        case 'first': return await this.#first(request.id)
        case 'check': return await this.#check()
        case 'warm': return await this.#warm()
        case 'sample': return { timings: await this.#sample(request.milliseconds), idle, busy: processTime() - begun }
        case 'forget': return await this.#forget()
        case 'trace': return { trace: await traced(() => this.#once()) }
        default: return request satisfies never
      }
    } finally {
      this.#answered = processTime()
    }
  }

  get #ready(): Prepared {
    if (!this.#prepared) throw new TypeError('benchmarks: expected a first run before anything else')
    return this.#prepared
  }

  async #once(): Promise<void> {
    await this.#ready.run()
    await this.#ready.wait()
  }

  async #forget(): Promise<Replies['forget']> {
    this.#problem = this.#prepared = this.#group = undefined
    await this.#runner.forget?.()
    return {}
  }

  async #first(id: string): Promise<Replies['first']> {
    if (this.#problem) await this.#forget()
    const workload = workloadOf(id)
    this.#problem = { ...workload, ...workload.make() }
    const begun = performance.now()
    this.#prepared = await this.#runner.prepare(this.#problem)
    await this.#once()
    return { milliseconds: performance.now() - begun }
  }

  async #check(): Promise<Replies['check']> {
    const error = await this.#problem?.error(await this.#ready.read()) ?? Number.NaN
    // JSON knows no infinity.
    return { error: Number.isFinite(error) ? error : Number.MAX_VALUE, tolerance: this.#problem?.tolerance ?? 0 }
  }

  async #warm(): Promise<Replies['warm']> {
    const milliseconds = await this.#shortest(warmUpTime)
    await settled()
    return { milliseconds }
  }

  /** Milliseconds of the shortest of single runs that go on for so long. */
  async #shortest(patience: number): Promise<number> {
    const begun = performance.now()
    let milliseconds = Infinity
    do milliseconds = Math.min(milliseconds, (await this.#time(1)).wall)
    while (performance.now() - begun < patience)
    return milliseconds
  }

  async #groupSize(): Promise<number> {
    const milliseconds = await this.#shortest(sizing)
    return milliseconds < shortRun ? Math.min(maxGroup, Math.ceil(shortRun / milliseconds)) : 1
  }

  async #sample(milliseconds: number): Promise<Timing[]> {
    const group = this.#group ??= await this.#groupSize()
    const begun = performance.now()
    const timings: Timing[] = []
    while (timings.length === 0 || timings.length < maxRuns && performance.now() - begun < milliseconds) timings.push(await this.#time(group))
    return timings
  }

  /** Times so many runs that are waited for once. */
  async #time(runs: number): Promise<Timing> {
    const prepared = this.#ready
    if (prepared.time) return prepared.time(runs)
    const [begun, before] = [performance.now(), processTime()]
    for (let i = 0; i < runs; i++) await prepared.run()
    await prepared.wait()
    return { wall: (performance.now() - begun) / runs, cpu: (processTime() - before) / runs }
  }
}
