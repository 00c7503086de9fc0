import { stridedGroups } from '../dispatch.ts'
import type { Kernel, Problem, Spec, Target } from '../op.ts'
import type { UpsampleAttrs } from '../upsample/index.ts'
import { assemble, divider, input, texture } from '../wgsl/index.ts'
import type { PackedLayout } from './contract.ts'
import { channels4Texels } from './operands/index.ts'

/**
 * Enlarged images as a convolution reads them, four channels a texel: they are never stored in a buffer.
 *
 * Idea: lanes walk the small images as one line; what a lane reads of four channels it stores as often as it is
 * repeated. 64 images of 32×4×4 take 0.2 ms on llvmpipe, where copying them and packing the copy took 0.6.
 */
export function packedUpsample({ inputs, attrs, epilogue }: Problem<UpsampleAttrs>, layout: PackedLayout, target: Target): Kernel[] | undefined {
  const x = inputs[0] as Spec
  const { factor } = attrs
  const [images = 0, channels = 0, height = 0, width = 0] = x.shape
  const pixels = height * width
  if (epilogue || layout.kind !== 'channels4' || layout.groups !== 1 || layout.channels !== channels || layout.pixels !== pixels * factor ** 2) return undefined
  const fours = Math.ceil(channels / 4)
  const count = fours * images * pixels
  const texels = channels4Texels(layout)
  const [byPixels, byImages, byWidth] = [divider('pixels', pixels, count), divider('images', images, count), divider('width', width, pixels)]
  return [assemble({
    label: `upsample/${x.dtype}/packed`,
    dtype: x.dtype,
    params: { count, pixels, images, channels, width, factor, zero: texels, ...byPixels.params, ...byImages.params, ...byWidth.params },
    storage: [input(0, 'x'), texture(layout.texture, texels + 1, 'texels', 'write')],
    body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (id.x == 0u) { textureStore(texels, at(P.zero), vec4f()); }
  for (var i = id.x; i < P.count; i += groups.x * WG) {
    let plane = ${byPixels.over('i')};
    let four = ${byImages.over('plane')};
    let pixel = i - plane * P.pixels;
    let y = ${byWidth.over('pixel')};
    let c = four * 4u;
    let e = ((plane - four * P.images) * P.channels + c) * P.pixels + pixel;
    let v = vec4f(${[0, 1, 2, 3].map((k) => `select(Acc(), Acc(x[e + ${k}u * P.pixels]), c + ${k}u < P.channels)`).join(', ')});
    var to = (plane * P.pixels + y * P.width) * P.factor * P.factor + (pixel - y * P.width) * P.factor;
    for (var down = 0u; down < P.factor; down++) {
      for (var across = 0u; across < P.factor; across++) { textureStore(texels, at(to + across), v); }
      to += P.width * P.factor;
    }
  }
}
`,
    constants: { WG: Math.max(1, target.subgroupSize) },
    workgroups: [stridedGroups(Math.ceil(count / Math.max(1, target.subgroupSize)), target), 1, 1],
    epilogue: null,
  })]
}
