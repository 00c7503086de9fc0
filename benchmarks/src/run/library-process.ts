import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Library } from '../results.ts'
import type { Line, Replies, Request } from './protocol.ts'

const script = join(import.meta.dirname, '../child.ts')

/** Where drivers keep compiled shaders: Mesa's and NVIDIA's variables for it. */
const cacheVariables = ['MESA_SHADER_CACHE_DIR', '__GL_SHADER_DISK_CACHE_PATH'] as const

/** A library in a process of its own, as its parent holds it. */
export class LibraryProcess implements AsyncDisposable {
  readonly library: Library
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<Line>
  /** Why nothing can be asked any more: an answer that came too late would be taken for that to the next request. */
  #lost: TypeError | undefined

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>, lines: AsyncIterator<Line>, library: Library) {
    this.#child = child
    this.#lines = lines
    this.library = library
  }

  /**
   * Starts a library. @param shaderCache folder of the driver's compiled shaders, its usual one by default
   * @throws {TypeError} that says why it did not start
   */
  static async start(name: string, { patience, shaderCache }: { readonly patience: number; readonly shaderCache?: string | undefined }): Promise<LibraryProcess> {
    const cache = shaderCache === undefined ? {} : Object.fromEntries(cacheVariables.map((variable) => [variable, shaderCache]))
    const child = spawn(process.execPath, ['--import', 'tsx', script, name], {
      stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...cache },
    })
    // A child that is gone cannot be told anything; its silence is noticed where an answer is awaited.
    child.stdin.on('error', () => undefined)
    const lines = linesOf(child.stdout)
    try {
      const first = await within(patience, lines.next())
      if (!first.value || !('library' in first.value)) throw new TypeError(problemOf(first.value))
      return new LibraryProcess(child, lines, first.value.library)
    } catch (error) {
      child.kill()
      throw error
    }
  }

  /**
   * Asks for something. @throws {TypeError} with the library's own words, after which it may be asked again, or those of a
   * silence of `patience` milliseconds or an end, after which it may not
   */
  async ask<D extends Request['do']>(request: Extract<Request, { do: D }>, patience: number): Promise<Replies[D]> {
    if (this.#lost) throw this.#lost
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const value = await this.#answer(patience)
    if (!('reply' in value)) throw new TypeError(problemOf(value))
    return value.reply as Replies[D] // the protocol answers a request with its own reply
  }

  async #answer(patience: number): Promise<Line> {
    try {
      const { value } = await within(patience, this.#lines.next())
      if (!value) throw new TypeError(problemOf(value))
      return value
    } catch (error) {
      this.#lost = error as TypeError // there is no other in these lines
      throw error
    }
  }

  /** Ends the process and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) resolve()
      else this.#child.once('exit', () => { resolve() })
    })
    this.#child.stdin.end(`${JSON.stringify({ do: 'quit' } satisfies Request)}\n`)
    const impatient = setTimeout(() => { this.#child.kill() }, 5000)
    await gone
    clearTimeout(impatient)
  }
}

function problemOf(line: Line | undefined): string {
  return line && 'problem' in line ? line.problem : 'its process ended without a word'
}

/** Lines that are ours: libraries print notices of their own. */
async function* linesOf(stream: Readable): AsyncGenerator<Line, undefined> {
  for await (const line of createInterface({ input: stream })) {
    if (/^\{"(library|reply|problem)":/.test(line)) yield JSON.parse(line) as Line
  }
  return undefined
}

/** The value, unless it takes longer than that. @throws {TypeError} then */
async function within<T>(milliseconds: number, value: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => { reject(new TypeError(`no answer within ${milliseconds / 1000} s`)) }, milliseconds)
  })
  try {
    return await Promise.race([value, late])
  } finally {
    clearTimeout(timer)
  }
}
