import { f32Bits, type Kernel, type Target } from '../../op.ts'
import { quotientFits } from '../../wgsl/index.ts'
import { type Packed, packKernel } from './pack.ts'

/** Images to be packed into padded planes of four-vectors. */
export interface Planes extends Packed {
  /**
   * Bundles of `fours` texels each hold `units` numbered parts, four a texel: channels of a group, or slices of a
   * batch.
   */
  readonly bundles: number
  readonly fours: number
  readonly units: number
  /** Planes for each texel number, `[bundles, fours, planes, height, width]` being the packed shape. */
  readonly planes: number
  readonly height: number
  readonly width: number
  /**
   * Rows and columns of the images, and how many of them a plane begins before the image; what lies outside counts as
   * zero.
   */
  readonly rows: number
  readonly cols: number
  readonly top: number
  readonly left: number
  /**
   * Element (y, x) of unit u: `bundle·bundle + (u / radix)·unit[0] + (u % radix)·unit[1] + plane·plane + y·cols + x`,
   * and its plane begins `(u % radix)·shift` rows further down the image. The radix is a power of two.
   */
  readonly steps: {
    readonly bundle: number
    readonly radix: number
    readonly unit: readonly [number, number]
    readonly shift: number
    readonly plane: number
  }
}

/** Texels of the planes. */
export function planeTexels(p: Pick<Planes, 'bundles' | 'fours' | 'planes' | 'height' | 'width'>): number {
  return p.bundles * p.fours * p.planes * p.height * p.width
}

/**
 * Idea: the taps of a weight's gradient read one packed image, shifted: nothing is copied per tap. Four slices of the
 * batch (or four channels) share a texel; neighbouring pixels are neighbouring texels. A workgroup is one subgroup,
 * its lanes walk a plane as one line of pixels, and no index is divided inside the walk: planes of ten by ten pixels
 * pack as fast as large ones.
 */
export function packPlanes(p: Planes, target: Target): Kernel {
  const items = p.bundles * p.fours * p.planes
  const lanes = Math.max(1, target.subgroupSize)
  // What one step of all lanes moves the row and the column by.
  const [down, across] = [Math.floor(lanes / p.width), lanes % p.width]
  return packKernel(p, {
    name: 'pack-planes', texels: planeTexels(p), items,
    params: {
      fours: p.fours, units: p.units, planes: p.planes, pixels: p.height * p.width, width: p.width,
      'of_planes: f32': f32Bits(1 / p.planes), 'of_fours: f32': f32Bits(1 / p.fours),
      rows: p.rows, cols: p.cols, top: p.top, left: p.left, down, across, forth: down * p.cols + across, back: p.cols - p.width,
      bundle_step: p.steps.bundle, radix_bits: Math.log2(p.steps.radix), radix_mask: p.steps.radix - 1, unit1: p.steps.unit[0], unit0: p.steps.unit[1],
      shift: p.steps.shift, plane_step: p.steps.plane,
    },
    quick: quotientFits(items, p.planes) && quotientFits(p.bundles * p.fours, p.fours),
    before: /* wgsl */ `
  let y0 = lane / P.width;
  let c0 = lane % P.width - P.left;
  let e0 = (y0 - P.top) * P.cols + c0;`,
    each: /* wgsl */ `
    let texel = over(item, P.planes, P.of_planes);
    let bundle = over(texel, P.fours, P.of_fours);
    let unit = (texel - bundle * P.fours) * 4u + vec4u(0u, 1u, 2u, 3u);
    let part = unit & vec4u(P.radix_mask);
    let shift = part * P.shift;
    let known = unit < vec4u(P.units);
    // All wrap below zero outside the image, where what is read counts for nothing.
    var y = y0 - P.top;
    var c = c0;
    var e = e0 + bundle * P.bundle_step + (item - texel * P.planes) * P.plane_step + (unit >> vec4u(P.radix_bits)) * P.unit1 + part * P.unit0 + shift * P.cols;
    for (var i = lane; i < P.pixels; i += WG) {
      let v = vec4f(Acc(x[e.x]), Acc(x[e.y]), Acc(x[e.z]), Acc(x[e.w]));
      textureStore(texels, at(item * P.pixels + i), select(vec4f(), v, known & (y + shift < vec4u(P.rows)) & vec4<bool>(c < P.cols)));
      y += P.down;
      c += P.across;
      e += vec4u(P.forth);
      if (c + P.left >= P.width) {
        y += 1u;
        c -= P.width;
        e += vec4u(P.back);
      }
    }
  `,
  }, target)
}
