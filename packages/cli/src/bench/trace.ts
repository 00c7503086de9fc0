import type { Profile } from '@antipode/core'

/** A profile as the viewers of Chrome traces read it; see https://ui.perfetto.dev and the Trace Event Format. */
export interface ChromeTrace {
  readonly displayTimeUnit: 'ms'
  readonly otherData: Readonly<Record<string, string>>
  readonly traceEvents: readonly TraceEvent[]
}

/** A slice of a track ('X'), or the name of a process or track ('M'). Times are microseconds. */
export type TraceEvent =
  | {
    readonly ph: 'X'
    readonly name: string
    readonly cat: string
    readonly pid: number
    readonly tid: number
    readonly ts: number
    readonly dur: number
    readonly args: Readonly<Record<string, number>>
  }
  | { readonly ph: 'M'; readonly name: 'process_name' | 'thread_name'; readonly pid: number; readonly tid: number; readonly args: { readonly name: string } }

const pid = 1
const [gpu, cpu] = [1, 2]

/** One slice a dispatch on the GPU's track, and what the host did on the CPU's; times count from the first of them. */
export function chromeTrace({ dispatches, host }: Pick<Profile, 'dispatches' | 'host'>, about: Readonly<Record<string, string>>): ChromeTrace {
  const origin = [...dispatches, ...host].reduce((least, { begin }) => Math.min(least, begin), Infinity)
  const slice = (tid: number, cat: string, name: string, begin: number, end: number, args: Readonly<Record<string, number>>): TraceEvent =>
    ({ ph: 'X', name, cat, pid, tid, ts: microseconds(begin - origin), dur: microseconds(end - begin), args })
  const named = (name: 'process_name' | 'thread_name', tid: number, text: string): TraceEvent => ({ ph: 'M', name, pid, tid, args: { name: text } })
  return {
    displayTimeUnit: 'ms',
    otherData: about,
    traceEvents: [
      named('process_name', gpu, 'antipode bench'),
      named('thread_name', gpu, 'GPU'),
      named('thread_name', cpu, 'CPU'),
      ...dispatches.map(({ label, run, begin, end, flops, bytes }) => slice(gpu, 'dispatch', label, begin, end, { run, flops, bytes })),
      ...host.map(({ phase, begin, end }) => slice(cpu, 'host', phase, begin, end, {})),
    ],
  }
}

/** To the nanosecond, so that what follows does not seem to overlap. */
function microseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6) / 1e3
}
