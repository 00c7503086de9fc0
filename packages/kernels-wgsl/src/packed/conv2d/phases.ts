import type { Contraction, Window } from '../../gemm/index.ts'

/** A contraction over every so many rows and columns of its result, and the first element of its left operand. */
export interface Phase {
  readonly contraction: Contraction
  readonly start: number
}

/** The columns `i = stride·q + phase − before` of one axis for which the taps `phase + stride·j` meet pixel `q − j`. */
interface AxisPhase {
  readonly phase: number
  readonly taps: number
  /** First q and how many. */
  readonly first: number
  readonly count: number
}

function axisPhases(columns: number, taps: number, stride: number, before: number): AxisPhase[] {
  return Array.from({ length: stride }, (_, phase) => {
    const first = Math.max(0, Math.ceil((before - phase) / stride))
    return { phase, taps: Math.ceil((taps - phase) / stride), first, count: Math.floor((columns - 1 + before - phase) / stride) - first + 1 }
  }).filter(({ count }) => count > 0)
}

/**
 * A contraction without what its dilation multiplies by zero: it parts the columns into phases, each of which meets taps of its own. One
 * without a dilation is its only phase.
 */
export function phasesOf(c: Contraction, window: Window): Phase[] {
  if (!window.dilation) return [{ contraction: c, start: 0 }]
  const [n2, n1, n0] = c.cols
  const [m2, m1, m0] = c.sum
  const [sy, sx] = window.dilation
  const [top, left] = window.offset
  const [images, down, across] = c.out.cols as readonly [Contraction['out']['cols'][number], Contraction['out']['cols'][number], Contraction['out']['cols'][number]]
  return axisPhases(n1, m1, sy, top).flatMap((v) => axisPhases(n0, m0, sx, left).map((h): Phase => ({
    start: v.phase * c.a.sum[1] + h.phase * c.a.sum[2],
    contraction: {
      ...c, cols: [n2, v.count, h.count], sum: [m2, v.taps, h.taps],
      a: { ...c.a, sum: [c.a.sum[0], sy * c.a.sum[1], sx * c.a.sum[2]] },
      b: { ...c.b, window: { size: window.size, pitch: window.pitch, offset: [v.first, h.first], cols: [1, 1], sum: [-1, -1] } },
      out: {
        ...c.out,
        cols: [images, { axis: down.axis, start: sy * v.first + v.phase - top, step: sy }, { axis: across.axis, start: sx * h.first + h.phase - left, step: sx }],
      },
    },
  })))
}
