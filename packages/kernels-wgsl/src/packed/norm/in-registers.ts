import type { Target } from '../../op.ts'
import { divider, repeat } from '../../wgsl/index.ts'
import type { Form } from './form.ts'
import type { TexelGroups } from './texel-groups.ts'

/** Blocks that a lane holds: four of them would take llvmpipe twice as long to compile as two, which take 0.3 s. */
const held = 2

/** Whether the lanes of a subgroup can hold a bundle. */
export function fitsRegisters({ fours, quads }: TexelGroups, target: Target): boolean {
  return fours * quads <= held * target.subgroupSize
}

const each = (f: (k: number) => string, between?: string): string => repeat(held, f, between)

/**
 * Idea: each value is read once. Lanes hold the blocks of a bundle while they find its mean, what rounding left of that, and the
 * variance of the differences. Where bundles have fewer blocks than a subgroup can hold, it takes several. A workgroup keeps to
 * the same channels from image to image, so that it holds their weights as well. 1.3 to 1.8 times as fast on llvmpipe as reading
 * twice, for 64 images of 4×4 and 8×8 pixels. A text of one block a lane would gain bundles of few blocks 5 %, and cost a model
 * that needs both another 0.15 s to compile.
 */
export function inRegisters(b: TexelGroups, images: number, target: Target): Form {
  const blocks = b.fours * b.quads
  // A power of two, since lanes that share a bundle meet by exchanges.
  const split = 2 ** Math.max(0, Math.ceil(Math.log2(blocks / held)))
  const byQuads = divider('quads', b.quads, blocks)
  const down = Math.min(b.perImage, target.tuning.workgroups)
  const across = Math.min(Math.ceil(images * split / target.subgroupSize), Math.max(1, Math.floor(target.tuning.workgroups / down)))
  return {
    name: 'registers',
    params: { split, blocks, ...byQuads.params },
    body: /* wgsl */ `
fn all_sum(e: Each) -> Each {
  var s = e;
  for (var d = 1u; d < P.split; d *= 2u) { s += subgroupShuffleXor(s, d); }
  return s;
}
fn total(b: mat4x4f) -> vec4f { return b[0] + b[1] + b[2] + b[3]; }
fn squares(b: mat4x4f) -> vec4f { return b[0] * b[0] + b[1] * b[1] + b[2] * b[2] + b[3] * b[3]; }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at_once = WG / P.split;
  let slot = lane / P.split;
  let own = lane - slot * P.split;
  ${each((k) => `let here${k} = own + ${k}u * P.split < P.blocks;
  let block${k} = min(own + ${k}u * P.split, P.blocks - 1u);
  let f${k} = ${byQuads.over(`block${k}`)};
  let quad${k} = block${k} - f${k} * P.quads;
  let owner${k} = owner(f${k}, here${k});`, '\n  ')}
  for (var bundle = w.y; bundle < P.bundles; bundle += n.y) {
    ${each((k) => `let four${k} = bundle * P.fours + f${k};
    let weight${k} = weight_of(four${k});
    let bias${k} = bias_of(four${k});`, '\n    ')}
    for (var first = w.x * at_once; first < P.images; first += n.x * at_once) {
      let image = min(first + slot, P.images - 1u);
      ${each((k) => `let x${k} = block((image * P.bundles * P.fours + four${k}) * 4u * P.quads + quad${k});`, '\n      ')}
      let near = all_sum(${each((k) => `meet(owner${k}, total(x${k}))`, ' + ')}) / P.count;
      ${each((k) => `let d${k} = less(x${k}, spread(owner${k}, near));`, '\n      ')}
      let rest = all_sum(${each((k) => `meet(owner${k}, total(d${k}))`, ' + ')}) / P.count;
      let square = all_sum(${each((k) => `meet(owner${k}, squares(d${k}))`, ' + ')}) / P.count;
      let variance = square - rest * rest;
      // Rounding may leave less than nothing; a maximum might make 0 of NaN.
      let r = inverseSqrt(select(variance, Each(), variance < Each()) + P.eps);
      if (first + slot < P.images) {
        for (var j = own; j < P.bundle; j += P.split) {
          let row = (image * P.bundles + bundle) * P.bundle + j;
          mean[row] = part(near + rest, j);
          rstd[row] = part(r, j);
        }
        ${each((k) => `if (here${k}) {
          store(((four${k} * P.images + image) * P.quads + quad${k}) * 4u, less(d${k}, spread(owner${k}, rest)), weight${k} * spread(owner${k}, r), bias${k});
        }`, '\n        ')}
      }
    }
  }
  if (w.y == 0u && w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }
}
`,
    workgroups: [across, down, 1],
  }
}
