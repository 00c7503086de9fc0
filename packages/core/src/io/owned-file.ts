import { CheckpointError } from '../errors.ts'
import { errorCode, nodeModule } from './node.ts'

/** What an owned file is for: a save that is under way, or the right to save. */
type Purpose = 'tmp' | 'lock'

/** Which process made a file, on which machine. */
interface Owner {
  /** Where process numbers mean the same: one boot of one machine, and in it one namespace of processes. */
  readonly machine: string
  readonly pid: number
  /** When the process began, in the system's own ticks, as numbers of processes are used again; 0 where there is no telling. */
  readonly start: number
}

/** An owned file as it lies on the disk. */
export interface FoundFile {
  readonly path: string
  readonly purpose: Purpose
  readonly pid: number
  /** Whether its process runs where this one can see it. */
  readonly near: boolean
}

/** How long a file may go without a sign of life, where its process cannot be asked for: on another machine, in another container. */
const LEASE_MS = 5 * 60_000
const HEARTBEAT_MS = 10_000

/**
 * A file beside `path` that belongs to this process and says so by its name, so that others can remove it once the process is
 * dead, and never before. The dead do not come back, so it does not matter who removes it, or how many at once; that is why
 * names say who owns a file, and not its content, and nobody ever takes a file over.
 */
export class OwnedFile implements AsyncDisposable {
  readonly path: string
  /** The clock of the file system less that of this process: folders are shared by machines whose clocks differ. */
  readonly #skew: number
  readonly #heart: NodeJS.Timeout
  readonly #fs: typeof import('node:fs/promises')

  private constructor(path: string, skew: number, fs: typeof import('node:fs/promises')) {
    this.path = path
    this.#skew = skew
    this.#fs = fs
    this.#heart = setInterval(() => {
      const now = new Date(this.now())
      fs.utimes(path, now, now).catch(() => undefined)
    }, HEARTBEAT_MS).unref()
  }

  /** Makes the file. Errors of the system pass through. */
  static async create(op: string, path: string, purpose: Purpose, content: string): Promise<OwnedFile> {
    const fs = nodeModule(op, 'node:fs/promises')
    const { basename, dirname, join } = nodeModule(op, 'node:path')
    const { machine, pid, start } = thisProcess(op)
    const unique = crypto.randomUUID().slice(0, 8)
    const own = join(dirname(path), `.${basename(path)}.${machine}-${pid}-${start}.${unique}.${purpose}`)
    await fs.writeFile(own, content, { flag: 'wx' })
    return new OwnedFile(own, (await fs.stat(own)).mtimeMs - Date.now(), fs)
  }

  /** The time by the clock of the file system. */
  now(): number {
    return Date.now() + this.#skew
  }

  /** The file is there no more, or is something else now: it is left alone. */
  release(): void {
    clearInterval(this.#heart)
  }

  /** Removes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
    await this.#fs.rm(this.path, { force: true })
  }

  /** Removes what dead processes left beside `path`, and gives what living ones have there, but for this file. */
  async sweep(op: string, path: string): Promise<FoundFile[]> {
    const { basename, dirname, join } = nodeModule(op, 'node:path')
    const prefix = `.${basename(path)}.`
    const living: FoundFile[] = []
    for (const name of await this.#fs.readdir(dirname(path))) {
      const owner = name.startsWith(prefix) ? /^([0-9a-f]{12})-(\d+)-(\d+)\.[0-9a-f]{8}\.(tmp|lock)$/.exec(name.slice(prefix.length)) : null
      const file = join(dirname(path), name)
      if (!owner || file === this.path) continue
      const stat = await this.#fs.stat(file).catch(() => undefined)
      // Removed by its process, or by another that sweeps.
      if (!stat) continue
      const [, machine = '', pid, start] = owner
      const known: Owner = { machine, pid: Number(pid), start: Number(start) }
      if (isDead(op, known, this.now() - stat.mtimeMs)) await this.#fs.rm(file, { force: true }).catch(() => undefined)
      else living.push({ path: file, purpose: owner[4] as Purpose, pid: known.pid, near: machine === thisProcess(op).machine })
    }
    return living
  }
}

/** Whether the process of a file has ended, of which this process is certain or which the file, untouched for so long, shows. */
function isDead(op: string, { machine, pid, start }: Owner, untouched: number): boolean {
  if (machine === thisProcess(op).machine) {
    const now = startOf(op, pid)
    if (now === undefined) return true
    if (now !== 0 && start !== 0) return now !== start
  }
  return untouched > LEASE_MS
}

let known: Owner | undefined

function thisProcess(op: string): Owner {
  known ??= { machine: machineOf(op), pid: process.pid, start: startOf(op, process.pid) ?? 0 }
  return known
}

/**
 * When a process began, undefined if there is none of that number, 0 if there is no telling.
 * Source: Linux, proc_pid_stat(5), fields state (3) and starttime (22).
 */
function startOf(op: string, pid: number): number | undefined {
  try {
    const stat = nodeModule(op, 'node:fs').readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, and may hold any of both.
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // Ended, but its parent has not asked how.
    if (state === 'Z' || state === 'X') return undefined
    return Number(fields[18]) || 0
  } catch {
    try {
      process.kill(pid, 0)
      return 0
    } catch (error) {
      return errorCode(error) === 'ESRCH' ? undefined : 0
    }
  }
}

function machineOf(op: string): string {
  const { readFileSync, readlinkSync } = nodeModule(op, 'node:fs')
  const { hostname, networkInterfaces } = nodeModule(op, 'node:os')
  let place: string
  try {
    place = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []).filter(({ internal }) => !internal).map(({ mac }) => mac)
    place = [hostname(), ...new Set(addresses.toSorted())].join(' ')
  }
  return nodeModule(op, 'node:crypto').createHash('sha256').update(place).digest('hex').slice(0, 12)
}

/** A failure to write beside `path`, in words. */
export function writeFailure(op: string, path: string, cause: unknown): CheckpointError {
  const got = advice[errorCode(cause)] ?? `${String(cause)}; check the disk`
  return new CheckpointError(`${op}: expected to write ${JSON.stringify(path)}, got ${got}`, { cause })
}

const advice: Record<string, string> = {
  ENOENT: 'no such folder; create it first',
  EACCES: 'permission denied; choose a folder you may write to',
  EROFS: 'a read-only disk; choose another folder',
  ENOSPC: 'a full disk; free space and try again',
}
