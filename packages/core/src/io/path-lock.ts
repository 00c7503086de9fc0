import { CheckpointError } from '../errors.ts'
import { nodeModule } from './node.ts'
import { type FoundFile, OwnedFile, writeFailure } from './owned-file.ts'

/** The right to write a path, until it is disposed or its process ends, however that may be. */
export interface PathLock extends AsyncDisposable {
  /** @throws {CheckpointError} if the right was lost: somebody removed the lock's file, or took this process for dead */
  check(): Promise<void>
}

/** Two that come at once see each other and step back; that often, before one gives up. */
const ATTEMPTS = 6
const PAUSE_MS = 60

/**
 * Takes the right to write `path` in Node, which no other process has then, and removes what dead processes left beside it.
 *
 * Each process lays a file of its own beside the path, then looks whether a living one has laid another. Node has no lock of
 * the system's that dies with its process; here the file's name says which process is meant, by its number and the moment at
 * which it began, so that a process that was killed holds nothing, and another that has its number since is not taken for it.
 * Where a process cannot be asked for, on another machine or in another container that shares the folder, its lock holds for
 * five minutes after the last sign of life, which it gives every ten seconds.
 *
 * @throws {CheckpointError} that says who holds it, or that the folder cannot be written
 * @throws {UnsupportedError} where there is no Node
 *
 * @example
 * await using lock = await lockPath('train', 'run.safetensors')
 */
export async function lockPath(op: string, path: string): Promise<PathLock> {
  const target = nodeModule(op, 'node:path').resolve(path)
  const { hostname } = nodeModule(op, 'node:os')
  const content = JSON.stringify({ host: hostname(), since: new Date().toISOString() })
  const attempt = <T>(work: Promise<T>): Promise<T> => work.catch((cause: unknown) => { throw writeFailure(op, target, cause) })
  for (let left = ATTEMPTS; ; left--) {
    const own = await attempt(OwnedFile.create(op, target, 'lock', content))
    const [holder] = (await attempt(own.sweep(op, target))).filter(({ purpose }) => purpose === 'lock')
    if (!holder) return lockOf(op, target, own)
    await own[Symbol.asyncDispose]()
    if (left === 1) throw await heldError(op, target, holder)
    await new Promise((done) => setTimeout(done, PAUSE_MS * Math.random()))
  }
}

function lockOf(op: string, target: string, own: OwnedFile): PathLock {
  const fs = nodeModule(op, 'node:fs/promises')
  return {
    async check() {
      if (await fs.stat(own.path).then(() => true, () => false)) return
      throw new CheckpointError(
        `${op}: expected to hold ${JSON.stringify(target)} still, got no lock of this process any more; ` +
          'nothing was written: see that no other run uses the path, and start again',
      )
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  }
}

async function heldError(op: string, target: string, { path, pid, near }: FoundFile): Promise<CheckpointError> {
  const fs = nodeModule(op, 'node:fs/promises')
  const text = await fs.readFile(path, 'utf8').catch(() => '')
  const [, host, since] = /^\{"host":"([^"]*)","since":"([^"]*)"\}$/.exec(text) ?? []
  const who = `process ${pid}${host === undefined ? '' : ` on ${host} since ${since}`}`
  const what = near && pid === process.pid ? `${who} (this one)` : who
  const otherwise = near ? '' : `; if it runs no more, delete ${JSON.stringify(path)}, or wait five minutes`
  return new CheckpointError(
    `${op}: expected ${JSON.stringify(target)} to be used by this run alone, got ${what} at it; ` +
      `wait until it ends, or choose another path${otherwise}`,
  )
}
