import { processTime } from '../cpu-time.ts'
import type { Timing } from '../workload.ts'

/** Milliseconds that all repetitions of one measurement should take together, if one of them is not already longer. */
const budget = 400
const longest = 17

/** Times something once. */
export async function timed(work: () => Promise<unknown>): Promise<Timing> {
  const [begun, before] = [performance.now(), processTime()]
  await work()
  return { wall: performance.now() - begun, cpu: processTime() - before }
}

/**
 * The time of one operation, from that of graphs of `count` and of one of it: (T[count] − T[1]) / (count − 1). Noise may make it
 * negative, and is left so: a median of many is right only if no side is cut off.
 */
export function slope(many: Timing, one: Timing, count: number): Timing {
  const per = (key: keyof Timing): number => (many[key] - one[key]) / (count - 1)
  return { wall: per('wall'), cpu: per('cpu') }
}

/** How many operations a graph should have, given the milliseconds that one takes; one more than a multiple of `period`. */
export function repetitions(milliseconds: number, period: number): number {
  const wanted = Math.max(1, Math.min(longest - 1, Math.ceil(budget / Math.max(milliseconds, 1e-3))))
  return 1 + Math.ceil(wanted / period) * period
}
