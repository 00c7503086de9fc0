import type { Device, HostSpan, Profile } from '@antipode/core'
import type { PhaseHandle } from '../progress/index.ts'
import type { Ceilings, HostTimes, KernelRow, WorkloadProfile } from './bench-report.ts'
import type { Workload, WorkloadName } from './workloads.ts'

/** How to profile. */
export interface ProfileOptions {
  readonly name: WorkloadName
  readonly ceilings: Ceilings
  readonly signal: AbortSignal
  readonly phase: PhaseHandle
}

/** Milliseconds that rounds without a profile may take together, and those with one. */
const budget = { timed: 2000, profiled: 1500 } as const
/** Rounds of each kind, whatever they take and however little. */
const rounds = { timed: 3, least: 2, most: 20 } as const
/** The first compiles; on the second, buffers take their final turn. */
const warmUps = 3

/** Runs a workload warm, first by the clock alone and then with timestamps. */
export async function profileWorkload(
  device: Device, workload: Workload, { name, ceilings, signal, phase }: ProfileOptions,
): Promise<{ readonly summary: WorkloadProfile; readonly profile: Profile }> {
  const round = async (): Promise<number> => {
    signal.throwIfAborted()
    const begun = performance.now()
    await workload.round()
    await device.sync()
    return performance.now() - begun
  }
  for (let i = 0; i < warmUps; i++) await round()
  phase.advance(1)
  const timed: number[] = []
  const until = performance.now() + budget.timed
  while (timed.length < rounds.timed || performance.now() < until) timed.push(await round())
  timed.sort((a, b) => a - b)
  const milliseconds = timed[Math.floor(timed.length / 2)] ?? 0
  phase.advance(1)
  const count = Math.min(rounds.most, Math.max(rounds.least, Math.floor(budget.profiled / milliseconds)))
  const { result, ...profile } = await device.profile(async () => {
    let sum = 0
    for (let i = 0; i < count; i++) sum += await round()
    return sum
  })
  phase.advance(1)
  const summary = summarise(profile, { rounds: count, ceilings })
  return { profile, summary: { workload: name, title: workload.title, milliseconds, fastestMilliseconds: timed[0] ?? 0, profiledMilliseconds: result / count, ...summary } }
}

/** A profile of several like rounds as the mean of one. */
export function summarise(
  { kernels, dispatches, host }: Profile, { rounds: count, ceilings }: { readonly rounds: number; readonly ceilings: Ceilings },
): Omit<WorkloadProfile, 'workload' | 'title' | 'milliseconds' | 'fastestMilliseconds' | 'profiledMilliseconds'> {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
  const gpu = sum(kernels.map((k) => k.milliseconds))
  // A dispatch may be too short for the clock.
  const rate = (amount: number, milliseconds: number): number => (milliseconds > 0 ? amount / milliseconds * 1e3 : 0)
  const rows = kernels.map((k): KernelRow => {
    const [flopsPerSecond, bytesPerSecond] = [rate(k.flops, k.milliseconds), rate(k.bytes, k.milliseconds)]
    return {
      label: k.label, dispatches: k.dispatches / count, milliseconds: k.milliseconds / count, share: gpu > 0 ? k.milliseconds / gpu : 0,
      flops: k.flops / count, bytes: k.bytes / count, flopsPerSecond, bytesPerSecond,
      ofFlops: flopsPerSecond / ceilings.flops.perSecond, ofBytes: bytesPerSecond / ceilings.bytes.perSecond,
    }
  })
  return {
    rounds: count, gpuMilliseconds: gpu / count, host: hostTimes(host, count), dispatches: dispatches.length / count,
    flops: sum(rows.map((r) => r.flops)), bytes: sum(rows.map((r) => r.bytes)), kernels: rows,
  }
}

function hostTimes(host: readonly HostSpan[], count: number): HostTimes {
  const of = (phase: HostSpan['phase']): number => host.reduce((sum, s) => sum + (s.phase === phase ? s.end - s.begin : 0), 0) / count
  return { plan: of('plan'), compile: of('compile'), encode: of('encode'), wait: of('wait') }
}
