import { f32Bits, type Target } from '../../op.ts'
import { quotientFits } from '../../wgsl/index.ts'
import type { Channels4Layout, PackedKernel } from '../contract.ts'
import { type Packed, packKernel } from './pack.ts'

/** Images to be packed four channels a texel. */
export type Channels4 = Packed & Omit<Channels4Layout, 'kind'>

/** Texels of the images; one more is zero. */
export function channels4Texels({ groups, channels, images, pixels }: Omit<Channels4Layout, 'kind' | 'texture'>): number {
  return groups * Math.ceil(channels / 4) * images * pixels
}

/**
 * Idea: texel `((group·fours + four)·images + image)·pixels + pixel` holds four channels of a pixel, and a convolution's taps read
 * them shifted: nothing is copied per tap, and no border is stored, which would be half of a small image; what lies outside is
 * read from one texel more. Four pixels of four channels are read by four accesses. Lanes walk all images as one line, so that
 * none idles at the end of a small one, and take apart their number by reciprocals.
 */
export function packChannels4(p: Channels4, target: Target): PackedKernel {
  const texels = channels4Texels(p)
  const fours = Math.ceil(p.channels / 4)
  const width = p.pixels % 4 === 0 ? 4 : 1
  const pixels = p.pixels / width
  const read = width === 4 ? 'vec4f' : 'f32'
  const kernel = packKernel({ ...p, type: width === 4 ? 'vec4<Scalar>' : 'Scalar' }, {
    name: width === 4 ? 'pack-channels4-wide' : 'pack-channels4', texels: texels + 1, items: Math.ceil(texels / width / Math.max(1, target.subgroupSize)),
    params: {
      count: texels / width, zero: texels, pixels, images: p.images, fours, channels: p.channels,
      group_step: p.channels * pixels, image_step: p.groups * p.channels * pixels,
      'of_pixels: f32': f32Bits(1 / pixels), 'of_images: f32': f32Bits(1 / p.images), 'of_fours: f32': f32Bits(1 / fours),
    },
    quick: [pixels, p.images, fours].every((d) => quotientFits(texels, d)),
    before: 'if (w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }',
    each: /* wgsl */ `
    let i = item * WG + lane;
    if (i < P.count) {
      let plane = over(i, P.pixels, P.of_pixels);
      let unit = over(plane, P.images, P.of_images);
      let group = over(unit, P.fours, P.of_fours);
      let c = (unit - group * P.fours) * 4u;
      let e = group * P.group_step + (plane - unit * P.images) * P.image_step + c * P.pixels + i - plane * P.pixels;
      ${[0, 1, 2, 3].map((k) => `let v${k} = select(${read}(), ${read}(x[e + ${k}u * P.pixels]), c + ${k}u < P.channels);`).join('\n      ')}
      ${width === 4 ? ['x', 'y', 'z', 'w'].map((j, k) => `textureStore(texels, at(4u * i + ${k}u), vec4f(v0.${j}, v1.${j}, v2.${j}, v3.${j}));`).join('\n      ')
        : 'textureStore(texels, at(i), vec4f(v0, v1, v2, v3));'}
    }
  `,
  }, target)
  return { ...kernel, layout: { kind: 'channels4', texture: p.texture, groups: p.groups, channels: p.channels, images: p.images, pixels: p.pixels } }
}
