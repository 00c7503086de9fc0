import type { Contraction } from '../gemm/index.ts'
import type { Geometry } from './geometry.ts'

/** Sizes that the three products share. */
function sizesOf(g: Geometry): { cin: number; cout: number; taps: number; plane: number; outPlane: number } {
  return { cin: g.inChannels / g.groups, cout: g.outChannels / g.groups, taps: g.kernelHeight * g.kernelWidth, plane: g.height * g.width, outPlane: g.outHeight * g.outWidth }
}

/** `conv2d`, its weight on the left: rows are filters, columns pixels of the output, and the sum runs over channels and taps. */
export function forwardContraction(g: Geometry): Contraction {
  const { cin, cout, taps, plane } = sizesOf(g)
  const [top, left] = g.padding
  return {
    batch: g.groups, rows: cout, cols: [g.batch, g.outHeight, g.outWidth], sum: [cin, g.kernelHeight, g.kernelWidth],
    a: { batch: cout * cin * taps, row: cin * taps, sum: [taps, g.kernelWidth, 1] },
    b: {
      batch: cin * plane, col: g.inChannels * plane, sum: plane,
      window: { size: [g.height, g.width], pitch: g.width, offset: [-top, -left], cols: g.stride, sum: [1, 1] },
    },
    out: {
      shape: [g.batch, g.outChannels, g.outHeight, g.outWidth], batch: { axis: 1, step: cout }, row: 1,
      cols: [{ axis: 0, step: 1 }, { axis: 2, step: 1 }, { axis: 3, step: 1 }],
    },
  }
}

/** `conv2dInputGrad`, its weight on the left: rows are channels, columns pixels of the input, and the sum runs over filters and taps. */
export function inputGradContraction(g: Geometry): Contraction {
  const { cin, cout, taps, outPlane } = sizesOf(g)
  const [top, left] = g.padding
  return {
    batch: g.groups, rows: cin, cols: [g.batch, g.height, g.width], sum: [cout, g.kernelHeight, g.kernelWidth],
    a: { batch: cout * cin * taps, row: taps, sum: [cin * taps, g.kernelWidth, 1] },
    b: {
      batch: cout * outPlane, col: g.outChannels * outPlane, sum: outPlane,
      window: { size: [g.outHeight, g.outWidth], pitch: g.outWidth, offset: [top, left], cols: [1, 1], sum: [-1, -1], dilation: g.stride },
    },
    out: {
      shape: [g.batch, g.inChannels, g.height, g.width], batch: { axis: 1, step: cin }, row: 1,
      cols: [{ axis: 0, step: 1 }, { axis: 2, step: 1 }, { axis: 3, step: 1 }],
    },
  }
}

/** `conv2dWeightGrad`, slopes on the left: rows are filters, columns channels and taps, and the sum runs over pixels of the output. */
export function weightGradContraction(g: Geometry): Contraction {
  const { cin, cout, plane, outPlane } = sizesOf(g)
  const [top, left] = g.padding
  return {
    batch: g.groups, rows: cout, cols: [cin, g.kernelHeight, g.kernelWidth], sum: [g.batch, g.outHeight, g.outWidth],
    a: { batch: cout * outPlane, row: outPlane, sum: [g.outChannels * outPlane, g.outWidth, 1] },
    b: {
      batch: cin * plane, col: plane, sum: g.inChannels * plane,
      window: { size: [g.height, g.width], pitch: g.width, offset: [-top, -left], cols: [1, 1], sum: g.stride },
    },
    out: {
      shape: [g.outChannels, cin, g.kernelHeight, g.kernelWidth], batch: { axis: 0, step: cout }, row: 0,
      cols: [{ axis: 1, step: 1 }, { axis: 2, step: 1 }, { axis: 3, step: 1 }],
    },
  }
}
