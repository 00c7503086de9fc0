/** An array that every library gets alike, row-major. */
export interface Input {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** What libraries may be asked to compute; layouts are NCHW, and attention is `[B, heads, N, D]`. */
export type SharedKind =
  | 'matmul' | 'conv3x3' | 'conv3x3Input' | 'conv3x3Weight' | 'attention' | 'attentionGrad'
  | 'groupNormSilu' | 'geglu' | 'feedForward' | 'add' | 'addChain' | 'matmulChain' | 'trainStep'

/** What only this library does. */
export type OwnKind = 'digitsStep' | 'digitsDpo' | 'unetEighth' | 'schedulerStep'

/** Everything there is to measure. */
export type Kind = SharedKind | OwnKind

/** What a run amounts to: floating-point operations, bytes that must move, or operations made. */
export interface Work {
  readonly amount: number
  readonly unit: 'FLOP' | 'byte' | 'op'
}

/** Under which heading the report has it. */
export type Group = 'matrix products' | 'convolutions' | 'attention' | 'other layers' | 'many small operations' | 'training' | 'models of ours' | 'scheduler steps'

/** One thing to measure, without its data. */
export interface Workload {
  readonly id: string
  readonly kind: Kind
  readonly group: Group
  readonly title: string
  readonly work: Work
  /** Element type of inputs and outputs, f32 by default; the numbers of the inputs are exact in it. */
  readonly dtype?: 'f32' | 'f16'
  /** Times that a chain repeats its operation. */
  readonly repeats?: number
  /** Which of several: the solver of a scheduler's step. */
  readonly variant?: string
  /** Errors above this are wrong results, not rounding. */
  readonly tolerance: number
  /** Makes the data: some of it is 200 MB. The same numbers each time, in every process. */
  make(): Data
}

/** The numbers that a workload begins with, and those it must end with. */
export interface Data {
  readonly inputs: Readonly<Record<string, Input>>
  /**
   * Largest error of a library's outputs against float64, relative to the root mean square of the true values; a few entries are
   * looked at where computing all would take minutes.
   */
  readonly error: (outputs: readonly Float32Array[]) => number | Promise<number>
}

/** What a library is given to prepare. */
export type Problem = Workload & Data

/** Milliseconds of wall clock and of CPU time (all threads) for one run. */
export interface Timing {
  readonly wall: number
  readonly cpu: number
}

/** A workload that a library has uploaded and can run again and again. */
export interface Prepared {
  /** Computes once; the GPU need not be done yet. What it made is kept for `read` until the next run. */
  run(): Promise<void>
  /** Resolves when the GPU is done with all runs. */
  wait(): Promise<void>
  /** Outputs of the last run, row-major, NCHW. A training step gives its loss, the old and the new weights. */
  read(): Promise<readonly Float32Array[]>
  /** One measurement, of so many runs that are waited for once, where taking the time around `run` would not tell the time of one. */
  time?(runs: number): Promise<Timing>
}

/** A library under measurement. */
export interface Runner {
  readonly name: string
  readonly version: string
  readonly adapter: string
  /** Whether the adapter computes on the CPU, so that CPU time tells something. */
  readonly software: boolean
  prepare(problem: Problem): Promise<Prepared>
  /** Drops what it prepared, where nothing does that by itself: in a process of its own that goes on to the next workload. */
  forget?(): Promise<void>
}
