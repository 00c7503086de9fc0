import { f32Bits, type Kernel, type Target } from '../../op.ts'
import { quotientFits } from '../../wgsl/index.ts'
import { type Packed, packKernel } from './pack.ts'

/** Slices of a batch of images, to be packed into panels of channels for a sum over all pixels. */
export interface Slices extends Packed {
  /** Groups of channels, channels of a group, rows of one panel, and panels of one group. */
  readonly batch: number
  readonly rows: number
  readonly width: number
  readonly panels: number
  /**
   * Images cut into `strips` (a power of two) of `stripRows` rows; the strips of all images are the slices, four a
   * texel.
   */
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
 * Idea: the sum over pixels takes four slices at once, which lie in one texel for both operands: shifting a tap then
 * shifts whole texels, where four neighbouring pixels would not stay together. Texel `(((group·panels + panel)·fours +
 * four)·stripRows + y)·cols + x)·width + r` holds pixel (y, x) of four slices of channel r.
 */
export function packSlices(s: Slices, target: Target): Kernel {
  const fours = Math.ceil(s.images * s.strips / 4)
  const items = s.batch * s.panels * fours
  const plane = s.imageRows * s.imageCols
  return packKernel(s, {
    name: 'pack-slices', texels: sliceTexels(s), items,
    params: {
      panels: s.panels, width: s.width, rows: s.rows, fours, strip_bits: Math.log2(s.strips), strip_mask: s.strips - 1, images: s.images, pixels: s.stripRows * s.imageCols,
      'of_fours: f32': f32Bits(1 / fours), 'of_panels: f32': f32Bits(1 / s.panels), plane, group_step: s.rows * plane, image_step: s.batch * s.rows * plane,
    },
    quick: quotientFits(items, fours) && quotientFits(s.batch * s.panels, s.panels),
    each: /* wgsl */ `
    let panel = over(item, P.fours, P.of_fours);
    let group = over(panel, P.panels, P.of_panels);
    let slice = (item - panel * P.fours) * 4u + vec4u(0u, 1u, 2u, 3u);
    let image = slice >> vec4u(P.strip_bits);
    // The last strip of an image may be shorter, and images beyond the last have no pixel.
    let begun = (slice & vec4u(P.strip_mask)) * P.pixels;
    let count = select(vec4u(), P.plane - min(begun, vec4u(P.plane)), image < vec4u(P.images));
    let base = group * P.group_step + image * P.image_step + begun;
    for (var r = lane; r < P.width; r += WG) {
      var e = base + min((panel - group * P.panels) * P.width + r, P.rows - 1u) * P.plane;
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
