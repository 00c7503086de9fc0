import { bytesText, threeDigits } from '../doctor/index.ts'
import type { BenchReport, Ceiling, KernelRow, WorkloadProfile } from './bench-report.ts'

/** Kernels that the table names; the others are summed in its last row. */
const named = 16
/** Columns of a kernel's name, and how many of them its end keeps where it is cut. */
const nameWidth = 44
const tail = 14

/** What `antipode bench` prints for people. */
export function benchText({ adapter, target, ceilings, profile, trace }: BenchReport): string {
  const { host } = profile
  const rate = ({ perSecond, by }: Ceiling, unit: string): string => `${`${threeDigits(perSecond / 1e9)} ${unit}`.padEnd(14)} by ${shortened(by)}`
  const lines = [
    'Adapter',
    `  name         ${adapter.device === '' ? 'not told by the driver' : adapter.device}${adapter.software ? ', on the CPU' : ''}`,
    `  tuning       ${target.tuning.adapter}: ${target.tuning.measured}`,
    '',
    'Ceilings',
    `  arithmetic   ${rate(ceilings.flops, 'GFLOPS')}`,
    `  memory       ${rate(ceilings.bytes, 'GB/s')}`,
    `  copying      ${rate(ceilings.copy, 'GB/s')}`,
    `  a dispatch   ${`${short(ceilings.dispatchMilliseconds)} ms`.padEnd(14)} at least, beside its work`,
    '',
    `Profile of ${profile.workload}: ${profile.title}`,
    `  a round      ${threeDigits(profile.milliseconds)} ms, the fastest ${threeDigits(profile.fastestMilliseconds)}; ${threeDigits(profile.profiledMilliseconds)} ms while profiled (mean of ${profile.rounds})`,
    `  GPU          ${threeDigits(profile.gpuMilliseconds)} ms in ${count(profile.dispatches)} dispatches, ${workText(profile)}`,
    `  CPU          plan ${short(host.plan)}, compile ${short(host.compile)}, encode ${short(host.encode)}, wait ${short(host.wait)} ms`,
    ...(trace === null ? [] : [`  trace        ${trace}`]),
    '',
    ...table(profile),
  ]
  return `${lines.join('\n')}\n`
}

function workText({ flops, bytes }: Pick<WorkloadProfile, 'flops' | 'bytes'>): string {
  return `${threeDigits(flops / 1e9)} GFLOP, ${bytesText(bytes)}`
}

function table({ kernels, dispatches }: WorkloadProfile): string[] {
  const head = ['kernel', 'calls', 'ms', 'of GPU', 'GFLOPS', 'of top', 'GB/s', 'of top']
  const rest = kernels.slice(named)
  const rows = kernels.slice(0, named).map((k) => row(shortened(k.label), k))
  if (rest.length > 0) rows.push(others(rest))
  const cells = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...cells.map((r) => r[i]?.length ?? 0)))
  const line = (r: readonly string[]): string => `  ${r.map((text, i) => (i === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ')}`
  return dispatches === 0 ? ['  nothing ran on the GPU'] : cells.map(line)
}

function row(name: string, k: KernelRow): string[] {
  return [
    name, count(k.dispatches), short(k.milliseconds), percent(k.share),
    ...(k.flops > 0 ? [threeDigits(k.flopsPerSecond / 1e9), percent(k.ofFlops)] : ['', '']),
    short(k.bytesPerSecond / 1e9), percent(k.ofBytes),
  ]
}

/** Rates of several kernels are not one rate: their row has none. */
function others(rest: readonly KernelRow[]): string[] {
  const sum = (of: (k: KernelRow) => number): number => rest.reduce((s, k) => s + of(k), 0)
  return [`${rest.length} others`, count(sum((k) => k.dispatches)), short(sum((k) => k.milliseconds)), percent(sum((k) => k.share)), '', '', '', '']
}

/** Calls a round: whole, unless rounds differ. */
const count = (calls: number): string => (Number.isInteger(calls) ? String(calls) : calls.toFixed(1))

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`

/** What tells kernels apart stands at both ends of a label. */
const shortened = (label: string): string =>
  (label.length <= nameWidth ? label : `${label.slice(0, nameWidth - tail - 1)}…${label.slice(-tail)}`)

/** A number that may be as good as nothing. */
const short = (x: number): string => (x < 5e-5 ? '0' : threeDigits(x))
