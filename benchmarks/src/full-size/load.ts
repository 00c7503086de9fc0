import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Device } from '@antipode/core'
import { philoxUniform } from '@antipode/core/random'
import { loadPipeline } from '@antipode/pipelines'

/** What is loaded, and how often. */
export interface FullSizeLoad {
  readonly model: string
  readonly dtype: 'f16' | 'f32'
  readonly rounds: number
  readonly log: (line: string) => void
}

/** Reading the files of weights once, and loading the pipeline, in seconds. */
interface Round {
  readonly read: number
  readonly load: number
  /** Seconds of all cores while loading. */
  readonly loadCpu: number
  readonly ratio: number
  /** Programs that wanted a core, on average over the last minute. */
  readonly loadAverage: number
}

export interface FullSizeLoadResult {
  readonly fileBytes: number
  readonly gpuBytes: number
  /** With the files out of the system's cache, and in it. */
  readonly cold: readonly Round[]
  readonly warm: readonly Round[]
  /** What the first load took of the host at most, without the GPU's bytes where they are the host's. */
  readonly hostBytes: number
  /** Resident after each load was dropped, beyond what was before the first. */
  readonly keptBytes: readonly number[]
  /** What loads that were aborted left on the GPU. */
  readonly aborts: readonly { readonly seconds: number; readonly gpuBytes: number }[]
  readonly equal: boolean
}

const aborts = 10

/** Loads from a cold and a warm cache beside reading once, and aborts at moments drawn from a seed. */
export async function measureLoad({ model, dtype, rounds, log }: FullSizeLoad): Promise<FullSizeLoadResult> {
  const files = readdirSync(model, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => join(model, name))
  await using device = await Device.request()
  const load = (signal?: AbortSignal): ReturnType<typeof loadPipeline> =>
    loadPipeline(device, model, { dtype, ...(signal && { signal }) })
  const resident = process.memoryUsage.rss()
  const [cold, warm, keptBytes]: [Round[], Round[], number[]] = [[], [], []]
  let [fileBytes, gpuBytes, hostBytes] = [0, 0, 0]
  for (let k = 0; k < 2 * rounds; k++) {
    const isCold = k % 2 === 0
    if (isCold) dropFromCache(files)
    let since = performance.now()
    fileBytes = await readOnce(files)
    const read = (performance.now() - since) / 1000
    if (isCold) dropFromCache(files)
    const cpu = process.cpuUsage()
    since = performance.now()
    const pipe = await load()
    await device.sync()
    const seconds = (performance.now() - since) / 1000
    const { user, system } = process.cpuUsage(cpu)
    if (k === 0) {
      gpuBytes = device.memory().live
      hostBytes = process.resourceUsage().maxRSS * 1024 - resident - (device.adapter.software ? gpuBytes : 0)
    }
    pipe[Symbol.dispose]()
    device.trim()
    await device.sync()
    keptBytes.push(process.memoryUsage.rss() - resident)
    const round = {
      read, load: seconds, loadCpu: (user + system) / 1e6, ratio: seconds / read, loadAverage: loadavg()[0] ?? 0,
    }
    ;(isCold ? cold : warm).push(round)
    log(`${isCold ? 'cold' : 'warm'}: ${JSON.stringify(round)}`)
  }
  const longest = Math.min(...warm.map((round) => round.load))
  const left: { seconds: number; gpuBytes: number }[] = []
  for (const share of philoxUniform(aborts, { seed: 3 })) {
    const seconds = share * longest
    left.push({ seconds, gpuBytes: await abortAfter(device, seconds, load) })
    log(`aborted after ${seconds.toFixed(2)} s: ${left.at(-1)?.gpuBytes} bytes left`)
  }
  const equal = left.every((one) => one.gpuBytes === 0)
  return { fileBytes, gpuBytes, cold, warm, hostBytes, keptBytes, aborts: left, equal }
}

/** Bytes that tensors take on the device after a load was aborted; one that ended before is dropped. */
async function abortAfter(
  device: Device,
  seconds: number,
  load: (signal: AbortSignal) => ReturnType<typeof loadPipeline>,
): Promise<number> {
  const controller = new AbortController()
  const loading = load(controller.signal).then(
    (pipe) => { pipe[Symbol.dispose]() },
    (error: unknown) => { if (error !== controller.signal.reason) throw error },
  )
  await Promise.race([pause(1000 * seconds), loading])
  controller.abort(new Error('enough'))
  await loading
  return device.memory().live
}

/** Reads files from start to end through one piece of memory; returns their bytes. */
async function readOnce(paths: readonly string[]): Promise<number> {
  const piece = new Uint8Array(2 ** 24)
  let total = 0
  for (const path of paths) {
    await using file = await open(path)
    for (let n = -1; n !== 0; total += n) n = (await file.read(piece)).bytesRead
  }
  return total
}

/** Takes files out of the system's cache, by GNU's dd. */
function dropFromCache(paths: readonly string[]): void {
  for (const path of paths) execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'])
}
