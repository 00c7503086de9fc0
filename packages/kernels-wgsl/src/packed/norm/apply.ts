import { stridedGroups } from '../../dispatch.ts'
import { activate, activationKey, geometry, type NormAttrs, parametersOf } from '../../norm/index.ts'
import type { Kernel, Problem, Spec, Target } from '../../op.ts'
import { assemble, divider, input as bind, repeat, texture } from '../../wgsl/index.ts'
import type { PackedLayout } from '../contract.ts'
import { batch4Texels } from '../operands/index.ts'

/**
 * Normalisation by known statistics that writes what the gradient of a convolution's weight reads, four images a texel, so that no
 * buffer keeps the values from the forward pass to the backward pass. Undefined of other layouts, and where pixels are no fours.
 *
 * Idea: a workgroup is one subgroup and takes a group of channels of four images. Each lane of a quad reads the statistics of one
 * image, so that four are read at one site in the text. Lanes for which a channel is too short take another channel. Four pixels
 * of four images are read by four accesses and make four texels, as they do where they are only packed.
 */
export function packedNormApply({ inputs, attrs }: Problem<NormAttrs>, layout: PackedLayout, target: Target): Kernel[] | undefined {
  const x = inputs[0] as Spec
  const g = geometry('normApply', x, attrs)
  if (layout.kind !== 'batch4' || target.subgroupSize < 4 || layout.channels !== x.shape[1] || layout.pixels !== g.inner || g.inner % 4) return undefined
  const parameters = parametersOf(attrs)
  const [weighted, biased] = [parameters > 0, parameters > 1]
  const texels = batch4Texels(layout)
  const quads = g.inner / 4
  const items = layout.images / 4 * g.groups
  const byGroups = divider('groups', g.groups, items)
  return [assemble({
    label: `normApply/${x.dtype}/${attrs.affine}/pack-batch4${activationKey(attrs)}`,
    dtype: x.dtype,
    subgroups: true,
    params: {
      items, groups: g.groups, channels: g.channels, quads, zero: texels,
      split: Math.min(target.subgroupSize, 2 ** Math.ceil(Math.log2(quads))), ...byGroups.params,
    },
    storage: [
      bind(0, 'x', 'vec4<Scalar>'), ...(weighted ? [bind(1, 'weight')] : []), ...(biased ? [bind(2, 'bias')] : []),
      bind(1 + parameters, 'mean', 'f32'), bind(2 + parameters, 'rstd', 'f32'), texture(layout.texture, texels + 1, 'texels', 'write'),
    ],
    body: /* wgsl */ `
override WG: u32;
alias Vec = vec4f;
${activate(attrs)}
fn of_images(v: f32) -> vec4f { return vec4f(${repeat(4, (k) => `quadBroadcast(v, ${k}u)`, ', ')}); }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  if (w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }
  let slots = WG / P.split;
  let slot = lane / P.split;
  let image_step = P.groups * P.channels * P.quads;
  for (var item = w.x; item < P.items; item += n.x) {
    let four = ${byGroups.over('item')};
    // Of the three images before a four, three times as many groups come before it.
    let row = item + (3u * four + (lane & 3u)) * P.groups;
    let m = of_images(mean[row]);
    let r = of_images(rstd[row]);
    for (var c = slot; c < P.channels; c += slots) {
      let plane = item * P.channels + c;
      ${weighted || biased ? 'let channel = plane - four * P.groups * P.channels;' : ''}
      let scale = r${weighted ? ' * Acc(weight[channel])' : ''};
      let offset = ${biased ? 'Acc(bias[channel])' : '0.0'};
      for (var i = lane - slot * P.split; i < P.quads; i += P.split) {
        let e = plane * P.quads + 3u * four * image_step + i;
        let v = transpose(mat4x4f(${repeat(4, (k) => `vec4f(x[e + ${k}u * image_step])`, ', ')}));
        let o = 4u * (plane * P.quads + i);
        ${repeat(4, (k) => `textureStore(texels, at(o + ${k}u), activate((v[${k}] - m) * scale + offset));`, '\n        ')}
      }
    }
  }
}
`,
    constants: { WG: target.subgroupSize },
    workgroups: [stridedGroups(items, target), 1, 1],
    epilogue: null,
  })]
}
