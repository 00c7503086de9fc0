import { dtypeOf, type Geometry } from '../../conv2d/index.ts'
import type { Problem, Target } from '../../op.ts'
import { panelCount, rowBlock } from '../blocks.ts'
import type { PackedKernel } from '../contract.ts'
import {
  batch4Texels, channels4Texels, packBatch4, packChannels4, packPanels, packPlanes, packSlices, panelTexels, planeTexels, sliceTexels,
} from '../operands/index.ts'
import { packingPays, texelsFit } from '../packing-cost.ts'
import { product } from '../product/index.ts'

// Convolutions and their gradients as products of packed operands; each gives undefined where packing does not pay.
// Images are packed once, with their border, and every tap reads them shifted.

/** Weights `[O, C/groups, kH, kW]` with filters as rows and channels summed; images with channels summed. */
export function forwardProduct(problem: Problem, g: Geometry, target: Target): PackedKernel[] | undefined {
  const [cin, cout, taps] = [g.inChannels / g.groups, g.outChannels / g.groups, g.kernelHeight * g.kernelWidth]
  const [plane, outPlane] = [g.height * g.width, g.outHeight * g.outWidth]
  const work = { rows: cout, cols: g.batch * outPlane, depth: cin * taps, batch: g.groups, packed: g.outChannels * cin * taps + g.batch * g.inChannels * plane }
  if (!packingPays(work, target)) return undefined
  const common = { label: 'conv2d', dtype: dtypeOf(problem) }
  const weights = {
    ...common, input: 1, texture: 0, batch: g.groups, rows: cout, width: rowBlock(cout, target).panel, panels: panelCount(cout, target),
    outer: taps, length: cin,
    steps: { batch: cout * cin * taps, row: cin * taps, radix: 1, turns: [1, 0], element: taps },
  } as const
  const images = {
    ...common, input: 0, texture: 1, groups: g.groups, channels: cin, images: g.batch, pixels: plane,
  } as const
  const [texelsA, texelsB] = [panelTexels(weights), channels4Texels(images)]
  if (!texelsFit(target, texelsA, texelsB + 1)) return undefined
  const [top, left] = g.padding
  return [
    packPanels(weights, target),
    packChannels4(images, target),
    product({
      label: 'conv2d', problem, rows: cout, cols: work.cols, batch: g.groups, outer: taps, inner: Math.ceil(cin / 4),
      a: { texture: 0, texels: texelsA, batch: texelsA / g.groups },
      b: {
        texture: 1, texels: texelsB + 1, offset: -top * g.width - left, batch: texelsB / g.groups,
        steps: [plane, g.stride[0] * g.width, g.stride[1]],
        turnRadix: g.kernelWidth, turns: [g.width, 1], step: g.batch * plane,
        ...(g.padding.some((n) => n > 0) && {
          window: { size: [g.height, g.width], offset: [-top, -left], steps: g.stride, turns: [1, 1], zero: texelsB },
        }),
      },
      columns: { radix: [g.outHeight, g.outWidth] },
      out: {
        shape: [g.batch, g.outChannels, g.outHeight, g.outWidth],
        place: ([image = 0, channel = 0, y = 0, x = 0]) => ({ offset: 0, batch: cout * channel, steps: [image, y, x], row: channel }),
      },
    }, target),
  ]
}

/** The pixels `i = stride·q + phase − before` of one axis for which the taps `phase + stride·j` meet output `q − j`. */
interface Phase {
  readonly phase: number
  readonly taps: number
  /** First q and how many. */
  readonly first: number
  readonly count: number
}

function phases(size: number, kernel: number, stride: number, before: number): Phase[] {
  return Array.from({ length: stride }, (_, phase) => {
    const first = Math.max(0, Math.ceil((before - phase) / stride))
    return { phase, taps: Math.ceil((kernel - phase) / stride), first, count: Math.floor((size - 1 + before - phase) / stride) - first + 1 }
  }).filter(({ count }) => count > 0)
}

/**
 * Weights with channels as rows and filters summed. A stride parts the pixels into phases, each of which meets taps of its
 * own: a product a phase, none of which multiplies by the zeros between outputs.
 */
export function inputGradProducts(problem: Problem, g: Geometry, target: Target): PackedKernel[] | undefined {
  const [cin, cout, taps] = [g.inChannels / g.groups, g.outChannels / g.groups, g.kernelHeight * g.kernelWidth]
  const [plane, outPlane] = [g.height * g.width, g.outHeight * g.outWidth]
  const [sy, sx] = g.stride
  const work = { rows: cin, cols: g.batch * plane, depth: cout * taps / (sy * sx), batch: g.groups, packed: g.outChannels * cin * taps + g.batch * g.outChannels * outPlane }
  // A kernel smaller than its stride leaves pixels that no tap meets.
  if (g.kernelHeight < sy || g.kernelWidth < sx || !packingPays(work, target)) return undefined
  const common = { label: 'conv2dInputGrad', dtype: dtypeOf(problem) }
  const down = phases(g.height, g.kernelHeight, sy, g.padding[0])
  const across = phases(g.width, g.kernelWidth, sx, g.padding[1])
  const slopes = { ...common, input: 0, texture: 0, groups: g.groups, channels: cout, images: g.batch, pixels: outPlane } as const
  const texelsB = channels4Texels(slopes)
  const kernels: PackedKernel[] = [packChannels4(slopes, target)]
  for (const [k, { v, h }] of down.flatMap((v) => across.map((h) => ({ v, h }))).entries()) {
    const weights = {
      ...common, input: 1, texture: k + 1, batch: g.groups, rows: cin, width: rowBlock(cin, target).panel, panels: panelCount(cin, target),
      outer: v.taps * h.taps, length: cout,
      steps: {
        offset: v.phase * g.kernelWidth + h.phase, batch: cout * cin * taps, row: taps,
        radix: h.taps, turns: [sy * g.kernelWidth, sx], element: cin * taps,
      },
    } as const
    const texelsA = panelTexels(weights)
    if (!texelsFit(target, texelsA, texelsB + 1)) return undefined
    // Each slope meets each tap of each phase once.
    const share = weights.outer
    kernels.push(packPanels(weights, target), { share, ...product({
      label: 'conv2dInputGrad', problem, rows: cin, cols: g.batch * v.count * h.count, batch: g.groups, outer: weights.outer, inner: Math.ceil(cout / 4),
      a: { texture: k + 1, texels: texelsA, batch: texelsA / g.groups },
      b: {
        texture: 0, texels: texelsB + 1, offset: v.first * g.outWidth + h.first, batch: texelsB / g.groups,
        steps: [outPlane, g.outWidth, 1], turnRadix: h.taps, turns: [-g.outWidth, -1], step: g.batch * outPlane,
        ...([[v, g.outHeight], [h, g.outWidth]] as const).some(([{ taps, first, count }, size]) => taps > first + 1 || first + count > size) && {
          window: { size: [g.outHeight, g.outWidth], offset: [v.first, h.first], steps: [1, 1], turns: [-1, -1], zero: texelsB },
        },
      },
      columns: { radix: [v.count, h.count] },
      out: {
        shape: [g.batch, g.inChannels, g.height, g.width],
        place: ([image = 0, channel = 0, y = 0, x = 0]) => ({
          offset: (sy * v.first + v.phase - g.padding[0]) * y + (sx * h.first + h.phase - g.padding[1]) * x,
          batch: cin * channel, steps: [image, sy * y, sx * x], row: channel,
        }),
      },
    }, target) })
  }
  return kernels
}

/** Texels of four images from which the sum of a weight's gradient runs over them inside: shorter loops cost more than borders. */
const manyFours = 4

/**
 * Filters as rows, channels and taps as columns, and all output pixels summed, four slices of the batch at a time. With many
 * images the sum runs over them inside, where a tap lies in the image for all or none of them; with few it runs along rows, and
 * images are packed with their borders, which are half of a small image.
 */
export function weightGradProduct(problem: Problem, g: Geometry, target: Target): PackedKernel[] | undefined {
  const [cin, cout, taps] = [g.inChannels / g.groups, g.outChannels / g.groups, g.kernelHeight * g.kernelWidth]
  const [plane, outPlane] = [g.height * g.width, g.outHeight * g.outWidth]
  const common = { label: 'conv2dWeightGrad', dtype: dtypeOf(problem) }
  // Too few images for whole texels are cut into strips.
  const strips = g.batch % 4 === 0 ? 1 : g.batch % 2 === 0 ? 2 : 4
  const fours = Math.ceil(g.batch * strips / 4)
  const many = strips === 1 && fours >= manyFours
  const stripRows = Math.ceil(g.outHeight / strips)
  const slopes = {
    ...common, input: 0, texture: 0, batch: g.groups, rows: cout, width: rowBlock(cout, target).panel, panels: panelCount(cout, target),
    images: g.batch, strips, stripRows, imageRows: g.outHeight, imageCols: g.outWidth,
  } as const
  const whole = { ...common, input: 1, texture: 1, images: g.batch, channels: g.inChannels, pixels: plane } as const
  const [top, left] = g.padding
  const bordered = {
    ...common, input: 1, texture: 1, bundles: 1, fours, units: g.batch * strips, planes: g.inChannels,
    height: (stripRows - 1) * g.stride[0] + g.kernelHeight, width: (g.outWidth - 1) * g.stride[1] + g.kernelWidth,
    rows: g.height, cols: g.width, top, left,
    steps: { bundle: 0, radix: strips, unit: [g.inChannels * plane, 0], shift: stripRows * g.stride[0], plane },
  } as const
  const image = many ? plane : bordered.height * bordered.width
  const packed = 4 * fours * (g.outChannels * stripRows * g.outWidth + g.inChannels * image)
  const work = { rows: cout, cols: cin * taps, depth: g.batch * outPlane, batch: g.groups, packed }
  const [texelsA, texelsB] = [sliceTexels(slopes), many ? batch4Texels(whole) + 1 : planeTexels(bordered)]
  if (!packingPays(work, target) || !texelsFit(target, texelsA, texelsB)) return undefined
  const b = { texture: 1, texels: texelsB, batch: cin * image } as const
  return [
    packSlices(slopes, target),
    many ? packBatch4(whole, target) : packPlanes(bordered, target),
    product({
      label: 'conv2dWeightGrad', problem, rows: cout, cols: work.cols, batch: g.groups,
      a: { texture: 0, texels: texelsA, batch: texelsA / g.groups, turned: many },
      ...many ? {
        outer: outPlane, inner: fours,
        b: {
          ...b, offset: -top * g.width - left, steps: [image, g.width, 1], step: g.inChannels * image,
          turnRadix: g.outWidth, turns: [g.stride[0] * g.width, g.stride[1]],
          window: { size: [g.height, g.width], offset: [-top, -left], steps: [1, 1], turns: g.stride, zero: texelsB - 1 },
        },
      } : {
        outer: fours * stripRows, inner: g.outWidth,
        b: {
          ...b, offset: 0, steps: [image, bordered.width, 1], step: g.stride[1],
          turnRadix: stripRows, turns: [g.inChannels * image, g.stride[0] * bordered.width],
        },
      },
      columns: { radix: [g.kernelHeight, g.kernelWidth] },
      out: {
        shape: [g.outChannels, cin, g.kernelHeight, g.kernelWidth],
        place: ([filter = 0, channel = 0, y = 0, x = 0]) => ({ offset: 0, batch: cout * filter, steps: [channel, y, x], row: filter }),
      },
    }, target),
  ]
}
