import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** What became of runs that were killed. */
export interface KillReport {
  readonly kills: number
  /** Kills that left a half-written file behind, so that they came within a save. */
  readonly insideSave: number
  /** Kills whose run ended, resumed, in the bytes expected. */
  readonly equal: number
  /** Names of files beside the checkpoint once a run had ended. */
  readonly left: readonly string[]
  /** When each kill came, for the message of a failure. */
  readonly moments: readonly string[]
}

/**
 * Runs the toy at `path` as a process of its own, kills it by SIGKILL, and runs it again, until there were so many kills; every
 * other one is aimed at a save. A run that ends is compared with `expected`, and another is begun afresh.
 * Real chance on purpose: over many runs every moment comes up.
 */
export async function killRuns({ path, kills, expected }: { readonly path: string; readonly kills: number; readonly expected: Buffer }): Promise<KillReport> {
  const folder = dirname(path)
  const beside = (): string[] => readdirSync(folder).filter((name) => name !== basename(path) && name.includes(basename(path)))
  const moments: string[] = []
  const left: string[] = []
  let [insideSave, equal, sinceStart] = [0, 0, 0]
  for (;;) {
    const aim = moments.length >= kills ? undefined : { steps: 1 + Math.floor(Math.random() * 5), save: moments.length % 2 === 0, delay: Math.random() }
    const killed = await runToy(path, aim)
    if (killed !== undefined) {
      moments.push(killed)
      sinceStart++
      if (beside().some((name) => name.endsWith('.tmp'))) insideSave++
      continue
    }
    if (readFileSync(path).equals(expected)) equal += sinceStart
    left.push(...beside())
    if (moments.length >= kills) return { kills: moments.length, insideSave, equal, left, moments }
    rmSync(path)
    sinceStart = 0
  }
}

/** When a run is killed: after so many steps, at once or within the save that follows; the delay is in [0, 1). */
interface Aim {
  readonly steps: number
  readonly save: boolean
  readonly delay: number
}

/** The longest waits for a kill, in ms: about as long as a save, and as a few steps. */
const saveMs = 6
const stepsMs = 60

/** Runs the toy, and gives the moment at which it was killed, or undefined if it ended by itself. */
async function runToy(path: string, aim: Aim | undefined): Promise<string | undefined> {
  const script = fileURLToPath(new URL('./run-toy.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@antipode/source', '--import', 'tsx', script, path], { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (text: Buffer) => { complaints += text.toString() })
  const exit = new Promise<NodeJS.Signals | number | null>((resolve) => { child.on('close', (code, signal) => { resolve(signal ?? code) }) })
  let made = 0
  const armed = (): boolean => aim !== undefined && made >= aim.steps
  const kill = (within: number): void => { setTimeout(() => child.kill('SIGKILL'), within * (aim?.delay ?? 0)) }
  const watcher = watch(dirname(path), (_, name) => { if (aim?.save && armed() && name?.endsWith('.tmp')) kill(saveMs) })
  for await (const line of createInterface(child.stdout)) {
    if (!line.startsWith('step ')) continue
    made++
    if (!aim?.save && armed()) kill(stepsMs)
  }
  const how = await exit
  watcher.close()
  if (how === 'SIGKILL') return `${aim?.delay.toFixed(3)} of the way into ${aim?.save ? 'a save' : 'what followed'} after ${made} steps`
  if (how !== 0 || !existsSync(path)) throw new TypeError(`run-toy: expected an end or a kill, got ${how}: ${complaints}`)
  return undefined
}
