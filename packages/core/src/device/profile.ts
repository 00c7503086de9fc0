/** GPU time by kernel. */
export interface KernelTime {
  readonly label: string
  readonly dispatches: number
  readonly milliseconds: number
  /** Floating-point operations of all its dispatches, and bytes bound by them, as their plans count them. */
  readonly flops: number
  readonly bytes: number
}

/** One dispatch on the GPU. */
export interface DispatchTime {
  readonly label: string
  /** Number of its submission, from 0. */
  readonly run: number
  /** Milliseconds on the clock of `performance.now()`; where two clocks differ, as close as causality tells. */
  readonly begin: number
  readonly end: number
  /** Floating-point operations, and bytes of the buffers bound, as its plan counts them. */
  readonly flops: number
  readonly bytes: number
}

/** What the host did for a while, in milliseconds on the clock of `performance.now()`. */
export interface HostSpan {
  /** `plan`: order, fusion and memory of a graph; `compile`: its pipelines; `encode`: one run of it; `wait`: for the GPU. */
  readonly phase: 'plan' | 'compile' | 'encode' | 'wait'
  readonly begin: number
  readonly end: number
}

/** Where the time of a function went: see {@link Device.profile}. */
export interface Profile {
  /** Longest first. */
  readonly kernels: readonly KernelTime[]
  /** In the order in which they were submitted. */
  readonly dispatches: readonly DispatchTime[]
  /** In the order in which they ended. */
  readonly host: readonly HostSpan[]
}

/** Dispatches of one submission, timed by the GPU's clock in milliseconds, and when the host submitted them by its own. */
export interface TimedRun {
  readonly submitted: number
  readonly dispatches: readonly Omit<DispatchTime, 'run'>[]
}

/**
 * Dispatches by the host's clock. WebGPU does not relate the two clocks; but nothing begins before it is submitted, so the
 * GPU's clock is moved by the least that makes this true of every run: the run that began soonest begins at once.
 */
export function onHostClock(runs: readonly TimedRun[]): DispatchTime[] {
  const begins = runs.flatMap(({ submitted, dispatches: [first] }) => (first ? [submitted - first.begin] : []))
  const shift = Math.max(...begins)
  return runs.flatMap(({ dispatches }, run) => dispatches.map((d) => ({ ...d, run, begin: d.begin + shift, end: d.end + shift })))
}

/** Sums by label, longest first. */
export function byKernel(dispatches: readonly DispatchTime[]): KernelTime[] {
  const totals = new Map<string, KernelTime>()
  for (const { label, begin, end, flops, bytes } of dispatches) {
    const t = totals.get(label)
    totals.set(label, {
      label, dispatches: (t?.dispatches ?? 0) + 1, milliseconds: (t?.milliseconds ?? 0) + end - begin,
      flops: (t?.flops ?? 0) + flops, bytes: (t?.bytes ?? 0) + bytes,
    })
  }
  return [...totals.values()].sort((a, b) => b.milliseconds - a.milliseconds)
}
