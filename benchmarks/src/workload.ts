/** An array that every library gets alike, row-major f32. */
export interface Input {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** What to compute; layouts are NCHW, and attention is `[B, heads, N, D]`. */
export type Kind = 'matmul' | 'conv3x3' | 'attention' | 'groupNormSilu' | 'add' | 'addChain' | 'matmulChain' | 'trainStep'

/** One thing to measure. */
export interface Workload {
  readonly id: string
  readonly kind: Kind
  readonly title: string
  /** Floating-point operations of one run, or bytes moved, or operations made: what its rate counts. */
  readonly work: { readonly amount: number; readonly unit: 'FLOP' | 'byte' | 'op' }
  readonly inputs: Readonly<Record<string, Input>>
  /** Times that a chain repeats its operation. */
  readonly repeats?: number
  /**
   * Largest error of a library's outputs against float64, relative to the root mean square of the true values; a few entries are
   * looked at where computing all would take minutes.
   */
  readonly error: (outputs: readonly Float32Array[]) => number
  /** Errors above this are wrong results, not rounding. */
  readonly tolerance: number
}

/** A workload that a library has uploaded and can run again and again. */
export interface Prepared {
  /** Computes once and waits until the GPU is done; what it made is kept for `read` until the next run. */
  run(): Promise<void>
  /** Outputs of the last run, row-major, NCHW. A training step gives its loss, the old and the new weights. */
  read(): Promise<readonly Float32Array[]>
}

/** A library under measurement. */
export interface Runner {
  readonly name: string
  readonly version: string
  readonly adapter: string
  /** Whether the adapter computes on the CPU, so that CPU time tells something. */
  readonly software: boolean
  prepare(workload: Workload): Promise<Prepared>
}
