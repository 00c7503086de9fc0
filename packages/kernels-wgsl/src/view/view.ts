import { at } from '../at.ts'
import { ShapeError } from '../errors.ts'
import type { Op } from '../op.ts'
import { input, shapeText, sizeOf } from '../shape.ts'
import { readView, reshapedView, viewOf } from './strided.ts'

/** Attributes of {@link reshape}. */
export type ReshapeAttrs = { readonly shape: readonly number[] }

/** The same elements in row-major order under another shape. @throws {ShapeError} if the element counts differ */
export const reshape: Op<ReshapeAttrs> = {
  name: 'reshape',
  infer(inputs, { shape }) {
    const x = input('reshape', inputs, 0)
    if (sizeOf(shape) !== sizeOf(x.shape) || shape.some((d) => !Number.isInteger(d) || d < 0)) {
      throw new ShapeError(
        `reshape: expected a shape of ${sizeOf(x.shape)} elements like ${shapeText(x.shape)}, got ${shapeText(shape)}`,
      )
    }
    return [{ shape, dtype: x.dtype }]
  },
  view(v, { shape }) {
    return reshapedView(v, shape)
  },
  keepsOrder: true,
  takesBlocks: true,
  vjp(call, { inputs, grads }) {
    const [x] = inputs
    const g = grads[0]
    return x === undefined || g === undefined ? [] : [call(reshape, [g], { shape: call.spec(x).shape })[0]]
  },
  reference: ([x], { shape }) => (x ? [{ shape, dtype: x.dtype, data: x.data }] : []),
}

/** Attributes of {@link permute}: output axis i is input axis `axes[i]`. */
export type PermuteAttrs = { readonly axes: readonly number[] }

/** Axes in another order. @throws {ShapeError} unless `axes` is a permutation */
export const permute: Op<PermuteAttrs> = {
  name: 'permute',
  infer(inputs, { axes }) {
    const x = input('permute', inputs, 0)
    if (axes.length !== x.shape.length || axes.some((_, i) => !axes.includes(i))) {
      throw new ShapeError(`permute: expected each axis of ${shapeText(x.shape)} once, got [${axes.join(',')}]`)
    }
    return [{ shape: axes.map((a) => at(x.shape, a)), dtype: x.dtype }]
  },
  view: (v, { axes }) => ({
    shape: axes.map((a) => at(v.shape, a)),
    strides: axes.map((a) => at(v.strides, a)),
    offset: v.offset,
  }),
  vjp(call, { grads, attrs }) {
    const g = grads[0]
    return g === undefined ? [] : [call(permute, [g], { axes: attrs.axes.map((_, i) => attrs.axes.indexOf(i)) })[0]]
  },
  reference: ([x], attrs) => (x ? [readView(x, permute.view?.(viewOf(x), attrs))] : []),
}

/** The same values, through which no gradient flows. */
export const stopGradient: Op = {
  name: 'stopGradient',
  infer: (inputs) => [input('stopGradient', inputs, 0)],
  view: (v) => v,
  keepsOrder: true,
  blocksGradient: true,
  reference: ([x]) => (x ? [x] : []),
}

/** The first input, available only once the second has been computed: it orders work and moves no data. */
export const after: Op = {
  name: 'after',
  infer: (inputs) => [input('after', inputs, 0)],
  view: (v) => v,
  keepsOrder: true,
  waitsFor: [1],
  vjp: (_call, { grads }) => [grads[0], undefined],
  reference: ([x]) => (x ? [x] : []),
}
