import { LibraryProcess } from './library-process.ts'

/** Milliseconds: how long a start and a first run may take, with all its shaders to compile; how long anything later. */
export const patience = { first: 300_000, later: 180_000 }

/**
 * The processes of all workloads. A library that lasts has one, which goes from workload to workload for as long as it answers;
 * the others get a fresh one each time.
 */
export class Processes implements AsyncDisposable {
  readonly #lasts: (name: string) => boolean
  /** Those that wait for their next workload. */
  readonly #kept = new Map<string, LibraryProcess>()

  /** @param lasts whether a library keeps its process */
  constructor(lasts: (name: string) => boolean) {
    this.#lasts = lasts
  }

  /** Whether a library starts anew for each workload. */
  fresh(name: string): boolean {
    return !this.#lasts(name)
  }

  /** A process that holds this library: the one that it kept, or a new one. @throws {TypeError} that says why it did not start */
  async start(name: string, shaderCache?: string): Promise<LibraryProcess> {
    const kept = this.#kept.get(name)
    this.#kept.delete(name)
    return kept ?? LibraryProcess.start(name, { patience: patience.first, shaderCache })
  }

  /** Takes a process back after a workload. It is ended unless it may last, and answers still. */
  async release(name: string, process: LibraryProcess): Promise<void> {
    if (this.#lasts(name) && !this.#kept.has(name) && await answers(process)) this.#kept.set(name, process)
    else await process[Symbol.asyncDispose]()
  }

  /** Ends all that wait. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#kept.values()].map((process) => process[Symbol.asyncDispose]()))
    this.#kept.clear()
  }
}

/** Whether a process, which may have failed, still does as it is asked; its arrays are gone then, so that the GPU has room for others. */
async function answers(process: LibraryProcess): Promise<boolean> {
  try {
    await process.ask({ do: 'forget' }, patience.later)
    return true
  } catch {
    return false
  }
}
