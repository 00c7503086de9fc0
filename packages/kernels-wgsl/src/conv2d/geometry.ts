import { ShapeError } from '../errors.ts'
import type { Problem, Spec } from '../op.ts'
import { expectRank, shapeText } from '../shape.ts'

/** Attributes of `conv2d`. `padding` is `[top, left, bottom, right]`. */
export type Conv2dAttrs = {
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number, number, number]
  readonly groups: number
}

/** Attributes of the gradients: the convolution's own, and the shape of what is differentiated. */
export type Conv2dGradAttrs = Conv2dAttrs & { readonly shape: readonly number[] }

/** Which input channels meet which filters: in a convolution filters are rows, in the gradient of its input channels are. */
export type Direction = 'conv2d' | 'conv2dInputGrad'

/** The element type of a convolution's operands. */
export const dtypeOf = (problem: Problem): 'f32' | 'f16' => (problem.inputs[0]?.dtype === 'f16' ? 'f16' : 'f32')

/** Sizes of a convolution, all that its three kernels need. */
export interface Geometry {
  readonly batch: number
  readonly inChannels: number
  readonly outChannels: number
  readonly groups: number
  readonly height: number
  readonly width: number
  readonly kernelHeight: number
  readonly kernelWidth: number
  readonly outHeight: number
  readonly outWidth: number
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number, number, number]
}

/** The sizes of a convolution of an input and a weight of these shapes. */
export function geometry(x: readonly number[], w: readonly number[], { stride, padding, groups }: Conv2dAttrs): Geometry {
  const [batch = 0, inChannels = 0, height = 0, width = 0] = x
  const [outChannels = 0, , kernelHeight = 0, kernelWidth = 0] = w
  const span = (size: number, k: number, before: number, after: number, step: number): number =>
    Math.floor((size + before + after - k) / step) + 1
  return {
    batch, inChannels, outChannels, groups, height, width, kernelHeight, kernelWidth, stride, padding,
    outHeight: span(height, kernelHeight, padding[0], padding[2], stride[0]),
    outWidth: span(width, kernelWidth, padding[1], padding[3], stride[1]),
  }
}

/** The sizes of a `conv2d`, from x and w. */
export function forwardGeometry({ inputs: [x, w], attrs }: Problem<Conv2dAttrs>): Geometry {
  return geometry(x?.shape ?? [], w?.shape ?? [], attrs)
}

/** The sizes of a `conv2dInputGrad`, from dy and w. */
export function inputGradGeometry({ inputs: [, w], attrs }: Problem<Conv2dGradAttrs>): Geometry {
  return geometry(attrs.shape, w?.shape ?? [], attrs)
}

/** The sizes of a `conv2dWeightGrad`, from dy and x. */
export function weightGradGeometry({ inputs: [, x], attrs }: Problem<Conv2dGradAttrs>): Geometry {
  return geometry(x?.shape ?? [], attrs.shape, attrs)
}

/** {@link geometry} of operands once they are known to fit. @throws {ShapeError} if channels, groups or the kernel do not */
export function check(op: string, x: Spec, w: Spec, attrs: Conv2dAttrs): Geometry {
  expectRank(op, 'an input [B,C,H,W]', x, 4)
  expectRank(op, 'a weight [O,C/groups,kH,kW]', w, 4)
  const { groups, stride } = attrs
  const g = geometry(x.shape, w.shape, attrs)
  if (!(Number.isInteger(groups) && groups > 0) || g.inChannels % groups || g.outChannels % groups) {
    throw new ShapeError(`${op}: expected groups that divide ${g.inChannels} and ${g.outChannels} channels, got ${groups}`)
  }
  if (w.shape[1] !== g.inChannels / groups) {
    throw new ShapeError(
      `${op}: expected a weight [O,${g.inChannels / groups},kH,kW] for input ${shapeText(x.shape)} in ${groups} groups, got ${shapeText(w.shape)}`,
    )
  }
  if (!stride.every((s) => Number.isInteger(s) && s > 0)) throw new ShapeError(`${op}: expected strides of 1 or more, got ${stride.join(',')}`)
  if (g.outHeight < 1 || g.outWidth < 1) {
    throw new ShapeError(`${op}: a ${g.kernelHeight}x${g.kernelWidth} kernel does not fit ${shapeText(x.shape)} padded by ${attrs.padding.join(',')}`)
  }
  return g
}

/** Multiply-adds of one tap along a row of outputs: the first flat index of x, w and y. x moves on by the stride, y by one, w stays. */
export interface Run {
  readonly x: number
  readonly w: number
  readonly y: number
  readonly count: number
}

/** Visits every multiply-add of a convolution, in runs. */
export function eachRun(g: Geometry, visit: (run: Run) => void): void {
  const cin = g.inChannels / g.groups
  const cout = g.outChannels / g.groups
  const [down, across] = g.stride
  for (let b = 0; b < g.batch; b++) for (let o = 0; o < g.outChannels; o++) for (let c = 0; c < cin; c++) {
    const plane = (b * g.inChannels + Math.floor(o / cout) * cin + c) * g.height
    for (let u = 0; u < g.kernelHeight; u++) for (let v = 0; v < g.kernelWidth; v++) {
      const first = Math.max(0, Math.ceil((g.padding[1] - v) / across))
      const end = Math.min(g.outWidth, Math.floor((g.width - 1 + g.padding[1] - v) / across) + 1)
      if (first >= end) continue
      for (let i = 0; i < g.outHeight; i++) {
        const row = i * down + u - g.padding[0]
        if (row < 0 || row >= g.height) continue
        visit({
          x: (plane + row) * g.width + first * across + v - g.padding[1],
          w: ((o * cin + c) * g.kernelHeight + u) * g.kernelWidth + v,
          y: ((b * g.outChannels + o) * g.outHeight + i) * g.outWidth + first,
          count: end - first,
        })
      }
    }
  }
}
