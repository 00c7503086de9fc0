import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AntipodeError } from '@antipode/core'
import { type Rng, rng } from '@antipode/core/random'
import { SchedulerError } from '@antipode/schedulers'
import { LyingServer } from './lying-server.ts'
import { pick } from './mutate.ts'
import { saveSoundRun, type Target, targetsOf, type Way } from './targets.ts'

/** An input that did not end as it must. */
export interface Finding {
  readonly input: number
  readonly target: string
  readonly way: Way
  readonly problem: string
}

export interface FuzzReport {
  readonly findings: readonly Finding[]
  /** Inputs that were taken, and inputs that were refused by a typed error, of each target. */
  readonly outcomes: Readonly<Record<string, { taken: number; refused: number }>>
  /** The most bytes that a reader asked for, as a multiple of its files' size. */
  readonly mostAsked: number
}

/** A request over HTTP fetches this much at first, whatever the size of the file. */
const prefixBytes = 65_536
/** Wall time that no input needs, on the slowest machine. */
const hangMs = 30_000

/**
 * Reads spoilt files, each from its own seed, and holds every reader to this: it ends, in a value or an error of its own, and
 * asks for at most twice the files' size. Bytes are counted as they are asked of bytes, Blob and server, which is before they
 * are in memory; from a file the same code asks. (A server is believed when it says how large its file is.)
 */
export async function fuzz({ seed, inputs, first = 0 }: { readonly seed: number; readonly inputs: number; readonly first?: number }): Promise<FuzzReport> {
  const folder = await mkdtemp(join(tmpdir(), 'antipode-fuzz-'))
  await using server = await LyingServer.listen()
  const findings: Finding[] = []
  const outcomes: Record<string, { taken: number; refused: number }> = {}
  let mostAsked = 0
  try {
    await saveSoundRun(join(folder, 'sound.safetensors'))
    const targets = Object.entries(targetsOf(Uint8Array.from(await readFile(join(folder, 'sound.safetensors')))))
    for (let input = first; input < first + inputs; input++) {
      const random = rng(seed, { stream: input })
      const [name, target] = targets[input % targets.length] ?? []
      if (name === undefined || target === undefined) continue
      const outcome = outcomes[name] ??= { taken: 0, refused: 0 }
      const way = pick(random, target.ways)
      const { error, asked } = await readOnce(target, way, random, folder, server)
      mostAsked = Math.max(mostAsked, asked)
      if (error === undefined) outcome.taken++
      else outcome.refused++
      const typed = error === undefined || error instanceof AntipodeError || error instanceof SchedulerError
      if (!typed) findings.push({ input, target: name, way, problem: error instanceof Error ? error.stack ?? error.message : String(error) })
      else if (asked > 2) findings.push({ input, target: name, way, problem: `asked for ${asked} times its size` })
    }
  } finally {
    await rm(folder, { recursive: true })
  }
  return { findings, outcomes, mostAsked }
}

async function readOnce(target: Target, way: Way, random: Rng, folder: string, server: LyingServer): Promise<{ error: unknown; asked: number }> {
  const files = target.make(random)
  const [name = '', bytes = new Uint8Array(0)] = [...files][0] ?? []
  let asked = 0
  const ask = (count: number): void => { asked += count }
  const size = [...files.values()].reduce((sum, one) => sum + one.length, 0)
  let source: string | Blob | Uint8Array
  switch (way) {
    case 'bytes':
      source = counted(bytes.slice(), 'subarray', ask)
      break
    case 'Blob':
      source = counted(new Blob([bytes]), 'slice', ask)
      break
    case 'file':
      for (const [other, content] of files) await writeFile(join(folder, other), content)
      source = join(folder, name)
      break
    default:
      server.claimed = 0
      server.onAsked = ask
      source = `${server.serve(files, random)}${name}`
  }
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise((_, reject) => { timer = setTimeout(() => { reject(new TypeError('no end')) }, hangMs) })
  const error = await Promise.race([target.read(source, random).then(() => undefined), hang]).catch((reason: unknown) => reason ?? new TypeError('rejected with nothing'))
  clearTimeout(timer)
  const believed = way === 'address' ? Math.max(size, server.claimed) + prefixBytes * files.size : size
  return { error, asked: believed === 0 ? 0 : asked / believed }
}

/** Counts the bytes that a method (begin, end) of an object is asked for. */
function counted<T extends Blob | Uint8Array>(object: T, method: 'slice' | 'subarray', ask: (count: number) => void): T {
  const original = (object as unknown as Record<string, (begin: number, end: number) => unknown>)[method]?.bind(object) // Blob.slice or Uint8Array.subarray
  return Object.defineProperty(object, method, {
    value(begin: number, end: number) {
      ask(end - begin)
      return original?.(begin, end)
    },
  })
}
