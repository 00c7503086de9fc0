import { dtypeOf, type Geometry } from '../../conv2d/index.ts'
import type { Problem, Target } from '../../op.ts'
import { panelCount, rowBlock } from '../blocks.ts'
import type { PackedKernel } from '../contract.ts'
import { batch4Texels, packBatch4, packPlanes, packSlices, planeTexels, sliceTexels } from '../operands/index.ts'
import { packingPays, texelsFit } from '../packing-cost.ts'
import { product } from '../product/index.ts'

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
