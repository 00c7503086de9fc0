import { stridedGroups } from '../../../dispatch.ts'
import type { Kernel, Target } from '../../../op.ts'
import { assemble, divider, repeat, texture } from '../../../wgsl/index.ts'
import { ofTiles, positions, size, tile, transform } from './scheme.ts'
import { type Tiling, tileTexels } from './tiling.ts'

/**
 * `V = Bᵀ d B` of the tiles of packed images, as the right operand of products: texel
 * `((group·positions + position)·fours + four)·tiles + tile` holds four channels.
 *
 * Idea: tiles overlap by two pixels, so that each pixel is read by up to four of them; texels are read cheaply, where a buffer's
 * elements are not. What lies outside an image is the texel behind the last. Lanes walk the tiles of all images as one line.
 */
export function transformTiles(t: Tiling, zero: number, target: Target): Kernel {
  const count = t.groups * t.fours * t.tiles
  const perImage = t.down * t.across
  const byTiles = divider('tiles', t.tiles, count)
  const byFours = divider('fours', t.fours, t.groups * t.fours)
  const byImage = divider('per_image', perImage, t.tiles)
  const byAcross = divider('across', t.across, perImage)
  const lanes = Math.max(1, target.subgroupSize)
  return assemble({
    label: `${t.label}/f32/tiles`,
    dtype: 'f32',
    params: {
      count, tiles: t.tiles, fours: t.fours, position: t.fours * t.tiles, per_image: perImage, across: t.across,
      images: t.images, pixels: t.height * t.width, height: t.height, width: t.width, top: t.top, left: t.left, zero,
      ...byTiles.params, ...byFours.params, ...byImage.params, ...byAcross.params,
    },
    storage: [texture(0, zero + 1, 'x', 'read'), texture(2, tileTexels(t), 'texels', 'write')],
    body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.count; i += groups.x * WG) {
    let plane = ${byTiles.over('i')};
    let tile = i - plane * P.tiles;
    let image = ${byImage.over('tile')};
    let place = tile - image * P.per_image;
    let row = ${byAcross.over('place')};
    let y = row * ${tile}u - P.top;
    let c = (place - row * P.across) * ${tile}u - P.left;
    let start = (plane * P.images + image) * P.pixels + y * P.width + c;
    ${repeat(size, (h) => `let within${h} = c + ${h}u < P.width;`)}
    ${repeat(size, (v) => `let inside${v} = y + ${v}u < P.height;
    ${repeat(size, (h) => `let d${v}_${h} = textureLoad(x, at(select(P.zero, start + ${v}u * P.width + ${h}u, inside${v} && within${h})));`)}`)}
    ${transform(ofTiles, 'd', 'v')}
    let to = i + ${byFours.over('plane')} * ${positions - 1}u * P.position;
    ${repeat(positions, (k) => `textureStore(texels, at(to + ${k}u * P.position), v${Math.floor(k / size)}_${k % size});`)}
  }
}
`,
    constants: { WG: lanes },
    workgroups: [stridedGroups(Math.ceil(count / lanes), target), 1, 1],
    epilogue: null,
  })
}
