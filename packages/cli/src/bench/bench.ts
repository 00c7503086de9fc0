import { writeFile } from 'node:fs/promises'
import { Device, UnsupportedError } from '@antipode/core'
import { measure } from '../doctor/index.ts'
import { compilingProgress, type Progress } from '../progress/index.ts'
import { BENCH_SCHEMA_VERSION, type BenchReport } from './bench-report.ts'
import { measureCeilings } from './ceilings.ts'
import { profileWorkload } from './profile.ts'
import { chromeTrace } from './trace.ts'
import { type Workload, type WorkloadName, workloads } from './workloads.ts'

/** Options of `antipode bench`. */
export interface BenchOptions {
  readonly workload: WorkloadName
  /** Where to write a Chrome trace of the profiled rounds, in a folder that is there. */
  readonly trace?: string
  readonly signal: AbortSignal
  readonly progress: Progress
}

/**
 * Measures what the adapter can do, then profiles a workload against that, in well under a minute once kernels are compiled.
 * @throws {UnsupportedError} without an adapter, or without timestamps on it @throws the reason of `signal` once it is aborted
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const progress = compilingProgress(options.progress)
  await using device = await Device.request({ signal: options.signal, onCompile: progress.onCompile })
  return await benchDevice(device, { ...options, progress }, workloads[options.workload])
}

/** {@link runBench} on a device, of a workload of any size. */
export async function benchDevice(
  device: Device, { workload: name, trace, signal, progress }: BenchOptions, start: (device: Device, signal: AbortSignal) => Workload,
): Promise<BenchReport> {
  if (!device.gpu.features.has('timestamp-query')) {
    throw new UnsupportedError('bench: expected an adapter with GPU timestamps, got one without; `antipode doctor` measures it by the clock')
  }
  const measured = await measure(device, { progress, signal, now: () => performance.now() })
  const ceilings = await measureCeilings(device, measured, signal)
  const phase = progress.phase(`profiling ${name}`, 3)
  await using workload = start(device, signal)
  const { summary, profile } = await profileWorkload(device, workload, { name, ceilings, signal, phase })
  phase.done()
  if (trace !== undefined) {
    await writeFile(trace, JSON.stringify(chromeTrace(profile, { workload: name, round: workload.title, adapter: device.adapter.description })))
  }
  const { adapter, target } = device
  return { schemaVersion: BENCH_SCHEMA_VERSION, adapter, target, measured, ceilings, profile: summary, trace: trace ?? null }
}
