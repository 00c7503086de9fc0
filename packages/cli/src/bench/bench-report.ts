import type { AdapterDescription } from '@antipode/core'
import type { Target } from '@antipode/kernels-wgsl'
import type { Measurements } from '../doctor/index.ts'
import type { WorkloadName } from './workloads.ts'

/** Version of the JSON that `antipode bench --json` prints; it grows when a reader of an older one would misread it. */
export const BENCH_SCHEMA_VERSION = 1

/** What `antipode bench` found; `--json` prints exactly this. */
export interface BenchReport {
  readonly schemaVersion: typeof BENCH_SCHEMA_VERSION
  readonly adapter: AdapterDescription
  /** What kernels were chosen by. */
  readonly target: Target
  readonly measured: Measurements
  readonly ceilings: Ceilings
  readonly profile: WorkloadProfile
  /** Where the trace was written; `null` if none was asked for. */
  readonly trace: string | null
}

/** The most that our own kernels get out of this adapter, which shares are of. Bytes count where read and where written. */
export interface Ceilings {
  /** Floating-point operations a second of an f32 product. */
  readonly flops: Ceiling
  /** Bytes a second of an elementwise kernel. */
  readonly bytes: Ceiling
  /** Bytes a second of a copy command: what memory gives where no kernel stands in between. */
  readonly copy: Ceiling
  /** Milliseconds of a dispatch that computes one number: what each costs beside its work, while profiled. */
  readonly dispatchMilliseconds: number
}

/** A rate, and what reached it. */
export interface Ceiling {
  readonly perSecond: number
  readonly by: string
}

/** Where the time of a workload goes. Times are milliseconds of one round: its mean over the profiled rounds, unless said. */
export interface WorkloadProfile {
  readonly workload: WorkloadName
  /** What a round is. */
  readonly title: string
  /** Rounds that were profiled. */
  readonly rounds: number
  /** Of rounds that were not profiled, by the clock: the median, and the fastest. They part where other programs are at work. */
  readonly milliseconds: number
  readonly fastestMilliseconds: number
  /** Of a profiled round, by the clock. */
  readonly profiledMilliseconds: number
  /** Sum over dispatches. */
  readonly gpuMilliseconds: number
  readonly host: HostTimes
  readonly dispatches: number
  readonly flops: number
  readonly bytes: number
  /** Longest first. */
  readonly kernels: readonly KernelRow[]
}

/** What the host did. A round that was seen before is planned by a look-up, and compiles nothing. */
export interface HostTimes {
  readonly plan: number
  readonly compile: number
  readonly encode: number
  readonly wait: number
}

/** One kernel of a round. */
export interface KernelRow {
  readonly label: string
  readonly dispatches: number
  readonly milliseconds: number
  /** Of the GPU's time, 0 to 1. */
  readonly share: number
  /** Floating-point operations; 0 for all but products, convolutions and attention. */
  readonly flops: number
  readonly bytes: number
  readonly flopsPerSecond: number
  readonly bytesPerSecond: number
  /** Shares of the ceilings, 1 being all of it; caches can lift bytes above it. */
  readonly ofFlops: number
  readonly ofBytes: number
}
