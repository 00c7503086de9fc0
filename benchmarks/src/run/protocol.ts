import type { Library, Trace } from '../results.ts'
import type { Timing } from '../workload.ts'

/** What the parent asks of a child process that holds one library, one line of JSON each. */
export type Request =
  /** Prepares a workload and runs it once, timed. */
  | { readonly do: 'first'; readonly id: string }
  /** Compares the result with float64. */
  | { readonly do: 'check' }
  /** Runs until times have settled. */
  | { readonly do: 'warm' }
  /** Runs again and again for so many milliseconds, at least once. */
  | { readonly do: 'sample'; readonly milliseconds: number }
  /** One more run, not timed, with every call of WebGPU counted. */
  | { readonly do: 'trace' }
  /** Drops the workload and its arrays. */
  | { readonly do: 'forget' }
  | { readonly do: 'quit' }

/** What a child answers. */
export interface Replies {
  readonly first: { readonly milliseconds: number }
  readonly check: { readonly error: number; readonly tolerance: number }
  readonly warm: { readonly milliseconds: number }
  readonly sample: {
    readonly timings: readonly Timing[]
    /** CPU time of the process since its last answer and before this request, which ought to be none. */
    readonly idle: number
    /** CPU time of the process for this request. */
    readonly busy: number
  }
  readonly trace: { readonly trace: Trace | undefined }
  readonly forget: Record<string, never>
  readonly quit: Record<string, never>
}

/** A line from a child: which library it holds, then an answer to each request, or what went wrong. */
export type Line = { readonly library: Library } | { readonly reply: unknown } | { readonly problem: string }
