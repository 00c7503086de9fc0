import { stridedGroups } from '../../../dispatch.ts'
import type { Kernel, Problem, Target } from '../../../op.ts'
import { assemble, divider, repeat, texture } from '../../../wgsl/index.ts'
import { digitsOf, storeOf } from '../../product/index.ts'
import { ofResults, positions, size, tile, transform } from './scheme.ts'
import { productTexels, type Tiling } from './tiling.ts'

/**
 * `Y = Aᵀ M A` of the products of all positions, whose texels hold four tiles of a row, and what follows the convolution.
 *
 * Idea: a lane computes the 4×4 pixels of four tiles at once; where rows of the image are fours, as most are, a row of a tile is
 * stored by one access.
 */
export function transformResults(t: Tiling, problem: Problem, target: Target): Kernel {
  const outType = (problem.epilogue?.dtype ?? t.dtype) === 'f16' ? 'f16' : 'f32'
  const cols = t.images * t.outHeight * t.outWidth
  const radix = [t.outHeight, t.outWidth] as const
  const digits = digitsOf({ radix }, cols)
  const scattered = t.outWidth % tile !== 0
  const store = storeOf({
    problem, cols, radix, scattered, shape: [t.images, t.groups * t.rows, t.outHeight, t.outWidth],
    place: ([image = 0, channel = 0, y = 0, x = 0]) => ({ offset: 0, batch: t.rows * channel, steps: [image, y, x], row: channel }),
  }, outType, 1)
  const fours = Math.ceil(t.tiles / 4)
  const total = t.groups * t.rows * fours
  const perImage = t.down * t.across
  const byFours = divider('fours', fours, total)
  const byRows = divider('rows', t.rows, t.groups * t.rows)
  const byImage = divider('per_image', perImage, t.tiles)
  const byAcross = divider('across', t.across, perImage)
  const lanes = Math.max(1, target.subgroupSize)
  // What is stored in turn q: row q / 4 of tile q % 4, or pixel q of all four.
  const [along, within] = [(q: number): number => Math.floor(q / tile), (q: number): number => q % tile]
  const turn = (q: number): string => (scattered ? `y${along(q)}_${within(q)}`
    : `vec4f(${repeat(tile, (j) => `y${along(q)}_${j}.${'xyzw'[within(q)]}`, ', ')})`)
  const turns = tile ** 2
  return { share: 0, ...assemble({
    label: `${t.label}/${outType}/results${digits.quick ? '' : 'd'}${scattered ? '/scattered' : ''}`,
    dtype: outType,
    params: {
      total, cols, fours, rows: t.rows, padding: (t.panels * t.panel - t.rows) * fours, position: t.panels * t.panel * fours, tiles: t.tiles, per_image: perImage, across: t.across,
      height: t.outHeight, width: t.outWidth, turns,
      ...byFours.params, ...byRows.params, ...byImage.params, ...byAcross.params, ...digits.params, ...store.params,
    },
    storage: [texture(3, productTexels(t), 'products', 'read'), ...store.storage],
    body: /* wgsl */ `
override WG: u32;
${digits.wgsl}${store.declarations}
fn pixel_of(tile: u32, down: u32, across: u32) -> u32 {
  let image = ${byImage.over('tile')};
  let place = tile - image * P.per_image;
  let row = ${byAcross.over('place')};
  let y = row * ${tile}u + down;
  let x = (place - row * P.across) * ${tile}u + across;
  return select(P.cols, (image * P.height + y) * P.width + x, tile < P.tiles && y < P.height && x < P.width);
}
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var n = id.x; n < P.total; n += groups.x * WG) {
    let plane = ${byFours.over('n')};
    let tile = (n - plane * P.fours) * 4u;
    let z = ${byRows.over('plane')};
    let first = plane - z * P.rows;
    let count = 1u;
    let start = n + z * (${positions - 1}u * P.position + P.padding);
    ${repeat(positions, (k) => `let m${Math.floor(k / size)}_${k % size} = textureLoad(products, at(start + ${k}u * P.position));`)}
    ${transform(ofResults, 'm', 'y')}
    for (var q = 0u; q < P.turns; q++) {
      ${scattered ? `let c = vec4u(${repeat(4, (k) => `pixel_of(tile + ${k}u, q / ${tile}u, q % ${tile}u)`, ', ')});`
        : `let col = pixel_of(tile + q % ${tile}u, q / ${tile}u, 0u);`}
      var s0 = vec4f();
      switch (q) { ${repeat(turns, (q) => `${q < turns - 1 ? `case ${q}u` : 'default'}: { s0 = ${turn(q)}; }`)} }${store.statements}
    }
  }
}
`,
    constants: { WG: lanes },
    workgroups: [stridedGroups(Math.ceil(total / lanes), target), 1, 1],
    epilogue: store.epilogue,
  }) }
}
