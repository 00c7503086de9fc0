import type { Kernel, Target } from '../op.ts'
import { type Packed, packKernel } from './pack.ts'

/** Slices of a batch of images, to be packed into panels of channels for a sum over all pixels. */
export interface Slices extends Packed {
  /** Groups of channels, channels of a group, rows of one panel, and panels of one group. */
  readonly batch: number
  readonly rows: number
  readonly width: number
  readonly panels: number
  /** Images cut into `strips` of `stripRows` rows; the strips of all images are the slices, four a texel. */
  readonly images: number
  readonly strips: number
  readonly stripRows: number
  readonly imageRows: number
  readonly imageCols: number
}

/** Texels of the slices. */
export function sliceTexels(s: Slices): number {
  return s.batch * s.panels * s.width * Math.ceil(s.images * s.strips / 4) * s.stripRows * s.imageCols
}

/**
 * Idea: the sum over pixels takes four slices at once, which lie in one texel for both operands: shifting a tap then shifts
 * whole texels, where four neighbouring pixels would not stay together. Texel
 * `(((group·panels + panel)·fours + four)·stripRows + y)·cols + x)·width + r` holds pixel (y, x) of four slices of channel r.
 */
export function packSlices(s: Slices, target: Target): Kernel {
  const fours = Math.ceil(s.images * s.strips / 4)
  const items = s.batch * s.panels * fours
  const plane = s.imageRows * s.imageCols
  return packKernel(s, {
    name: 'pack-slices', texels: sliceTexels(s), items,
    params: {
      panels: s.panels, width: s.width, rows: s.rows, fours, strips: s.strips, images: s.images, pixels: s.stripRows * s.imageCols,
      plane, group_step: s.rows * plane, image_step: s.batch * s.rows * plane,
    },
    each: /* wgsl */ `
    let panel = item / P.fours;
    let slice = item % P.fours * 4u + vec4u(0u, 1u, 2u, 3u);
    // The last strip of an image may be shorter, and images beyond the last have no pixel.
    let begun = slice % P.strips * P.pixels;
    let count = select(vec4u(), P.plane - min(begun, vec4u(P.plane)), slice / P.strips < vec4u(P.images));
    let base = panel / P.panels * P.group_step + slice / P.strips * P.image_step + begun;
    for (var r = lane; r < P.width; r += WG) {
      var e = base + min(panel % P.panels * P.width + r, P.rows - 1u) * P.plane;
      var t = item * P.pixels * P.width + r;
      for (var i = 0u; i < P.pixels; i++) {
        let v = vec4f(Acc(x[e.x]), Acc(x[e.y]), Acc(x[e.z]), Acc(x[e.w]));
        textureStore(texels, at(t), select(vec4f(), v, vec4u(i) < count));
        e += vec4u(1u);
        t += P.width;
      }
    }
  `,
  }, target)
}
