/** One workload in one library; `problem` says why there are no times. All times in milliseconds. */
export interface Measurement {
  readonly id: string
  readonly problem?: string
  readonly error?: number
  /** The first run, shaders compiled (or found in the driver's cache) included. */
  readonly first?: number
  readonly runs?: number
  /** Median and shortest wall clock. */
  readonly wall?: number
  readonly best?: number
  /** Median CPU time of all threads. */
  readonly cpu?: number
}

/** Which library, on which adapter. */
export interface Library {
  readonly name: string
  readonly version: string
  readonly adapter: string
  readonly software: boolean
}

/** One line of a child process. */
export interface Session {
  readonly library: Library
  readonly measurement: Measurement
}

/** Everything of one run of the benchmarks. */
export interface Results {
  readonly date: string
  readonly host: {
    readonly cpu: string
    readonly cores: number
    readonly node: string
    readonly platform: string
    /** One-minute load average when each library began: other work on the machine. */
    readonly load: Readonly<Record<string, number>>
  }
  readonly libraries: readonly (Library & { readonly measurements: readonly Measurement[] })[]
}
