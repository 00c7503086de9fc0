import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import type { Prepared, Problem, Runner, Timing } from '../workload.ts'
import { workloadOf } from '../workloads/index.ts'
import { processTime } from './cpu-time.ts'
import type { Replies, Request } from './protocol.ts'
import { traced } from './trace.ts'

/** Milliseconds of runs before times count: so long V8 goes on compiling what is hot, on a core that the runs want themselves. */
const warmUpTime = 1000
/** Runs in one sample, at most. */
const maxRuns = 50
/** Shorter runs are timed in groups that are waited for once, as a program would run them. */
const shortRun = 4
const maxGroup = 100

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
  /** Runs that are timed together. */
  #group = 1
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

  async #first(id: string): Promise<Replies['first']> {
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
    const begun = performance.now()
    let milliseconds = Infinity
    do milliseconds = Math.min(milliseconds, (await this.#time()).wall)
    while (performance.now() - begun < warmUpTime)
    await settled()
    this.#group = milliseconds < shortRun ? Math.min(maxGroup, Math.ceil(shortRun / milliseconds)) : 1
    return { milliseconds }
  }

  async #sample(milliseconds: number): Promise<Timing[]> {
    const begun = performance.now()
    const timings: Timing[] = []
    while (timings.length === 0 || timings.length < maxRuns && performance.now() - begun < milliseconds) timings.push(await this.#time())
    return timings
  }

  /** Times one run, or a group of short ones. */
  async #time(): Promise<Timing> {
    const prepared = this.#ready
    if (prepared.time) return prepared.time()
    const [begun, before] = [performance.now(), processTime()]
    for (let i = 0; i < this.#group; i++) await prepared.run()
    await prepared.wait()
    return { wall: (performance.now() - begun) / this.#group, cpu: (processTime() - before) / this.#group }
  }
}
