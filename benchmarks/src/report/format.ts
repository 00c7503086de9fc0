import type { Spread } from '../statistics.ts'
import type { Work } from '../workload.ts'

/** Three digits, without an exponent. */
export const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2))

/** GFLOPS, GB/s, or µs per operation, of a time in milliseconds. */
export function rate({ amount, unit }: Work, milliseconds: number): string {
  if (unit === 'op') return `${digits((1000 * milliseconds) / amount)} µs/op`
  return `${digits(amount / milliseconds / 1e6)} ${unit === 'FLOP' ? 'GFLOPS' : 'GB/s'}`
}

/** "4.45× (4.31–4.60)": a ratio and the range of its rounds. */
export function ratioText({ median, min, max }: Spread): string {
  return min === max ? `${digits(median)}×` : `${digits(median)}× (${digits(min)}–${digits(max)})`
}

/** "1.25 MB", "0" */
export function bytesText(bytes: number): string {
  if (bytes === 0) return '0'
  const step = bytes >= 1e9 ? 3 : bytes >= 1e6 ? 2 : bytes >= 1e3 ? 1 : 0
  return `${digits(bytes / 1000 ** step).replace(/\.0+$/, '')} ${['B', 'kB', 'MB', 'GB'][step]}`
}

/** A share as a whole percentage. */
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
