import type { Group, Work } from './workload.ts'

/** What a run asked of WebGPU. */
export interface Trace {
  readonly dispatches: number
  readonly submits: number
  readonly bindGroups: number
  readonly buffers: number
  /** Bytes of the buffers made. */
  readonly bytes: number
}

/** One workload in one library. All times in milliseconds for one run. */
export interface Measurement {
  readonly library: string
  /** Why there are no times, or fewer than there should be. */
  readonly problem?: string
  readonly error?: number
  /**
   * From upload to the first result, in a fresh process whose driver has no compiled shaders, and in one whose driver has them.
   * A library that keeps its process has no cold one; none has either where they got ready side by side.
   */
  readonly cold?: number
  readonly warm?: number
  /** Median wall clock and CPU time of each round, in the order of the rounds. */
  readonly wall: readonly number[]
  readonly cpu: readonly number[]
  /** First and third quartile of the wall clock of all runs, and how many there were. */
  readonly quartiles?: readonly [number, number]
  readonly runs: number
  readonly trace?: Trace
}

/** Every library on one workload. */
export interface Comparison {
  readonly id: string
  readonly title: string
  readonly group: Group
  readonly work: Work
  readonly measurements: readonly Measurement[]
  /** Another workload of the first library, timed in the same rounds, that its rate is held against. */
  readonly beside?: { readonly title: string; readonly work: Work; readonly wall: readonly number[] }
  /** Share of the cores that processes which are none of ours took while it was timed. */
  readonly foreign: number
  /** Share of a core that the libraries took while it was another's turn; anything but 0 is a mistake. */
  readonly idle: number
}

/** Which library, on which adapter. */
export interface Library {
  readonly name: string
  readonly version: string
  readonly adapter: string
  readonly software: boolean
}

/** Everything of one run of the benchmarks. */
export interface Results {
  readonly date: string
  readonly host: { readonly cpu: string; readonly cores: number; readonly node: string; readonly platform: string }
  readonly rounds: number
  /** The first is the one that the others are compared with. */
  readonly libraries: readonly Library[]
  /** Libraries that were left out, and why. */
  readonly absent: Readonly<Record<string, string>>
  readonly comparisons: readonly Comparison[]
}
