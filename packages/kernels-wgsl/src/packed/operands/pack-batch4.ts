import { f32Bits, type Target } from '../../op.ts'
import { quotientFits, repeat } from '../../wgsl/index.ts'
import type { Batch4Layout, PackedKernel } from '../contract.ts'
import { type Packed, packKernel } from './pack.ts'

/** Images to be packed four of them a texel. */
export type Batch4 = Packed & Omit<Batch4Layout, 'kind'>

/** Texels of the images; one more is zero. */
export function batch4Texels({ images, channels, pixels }: Omit<Batch4Layout, 'kind' | 'texture'>): number {
  return images / 4 * channels * pixels
}

/**
 * Idea: texel `(four·channels + channel)·pixels + pixel` holds a pixel of four images, so that the taps of a weight's gradient read
 * them shifted, without borders, in a sum over images. Four pixels of four images are read by four accesses and make four texels.
 */
export function packBatch4(f: Batch4, target: Target): PackedKernel {
  const items = f.images / 4 * f.channels
  const each = f.pixels % 4 === 0 ? 4 : 1
  const pixels = f.pixels / each
  const reads = [0, 1, 2, 3].map((k) => `${each === 4 ? 'vec4f' : 'Acc'}(x[e + ${k}u * P.image_step])`).join(', ')
  const kernel = packKernel({ ...f, type: each === 4 ? 'vec4<Scalar>' : 'Scalar' }, {
    name: each === 4 ? 'pack-batch4-wide' : 'pack-batch4', texels: batch4Texels(f) + 1, items,
    params: { channels: f.channels, pixels, image_step: f.channels * pixels, zero: batch4Texels(f), 'of_channels: f32': f32Bits(1 / f.channels) },
    quick: quotientFits(items, f.channels),
    before: 'if (w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }',
    each: /* wgsl */ `
    // Of the three images before a four, three times as many channels come before it.
    let base = (item + over(item, P.channels, P.of_channels) * 3u * P.channels) * P.pixels;
    for (var i = lane; i < P.pixels; i += WG) {
      let e = base + i;
      let o = (item * P.pixels + i) * ${each}u;
      ${each === 4 ? `let v = transpose(mat4x4f(${reads}));
      ${repeat(4, (k) => `textureStore(texels, at(o + ${k}u), v[${k}]);`)}` : `textureStore(texels, at(o), vec4f(${reads}));`}
    }
  `,
  }, target)
  return { ...kernel, layout: { kind: 'batch4', texture: f.texture, images: f.images, channels: f.channels, pixels: f.pixels } }
}
