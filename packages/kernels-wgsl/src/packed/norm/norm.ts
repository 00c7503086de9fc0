import { activate, activationKey, geometry, type NormAttrs } from '../../norm/index.ts'
import { f32Bits, type Kernel, type Problem, type Spec, type Target } from '../../op.ts'
import { assemble, input as bind, output, texture } from '../../wgsl/index.ts'
import type { PackedLayout } from '../contract.ts'
import { channels4Texels } from '../operands/index.ts'
import { fitsRegisters, inRegisters } from './in-registers.ts'
import { texelGroupsOf } from './texel-groups.ts'
import { twoPass } from './two-pass.ts'

/**
 * Blocks: `block(e)` reads one, whose columns are pixels, from four channels, `store` writes its four texels from
 * texel o on.
 */
const blocks = /* wgsl */ `
fn block(e: u32) -> mat4x4f {
  return transpose(mat4x4f(vec4f(x[e]), vec4f(x[e + P.quads]), vec4f(x[e + 2u * P.quads]), vec4f(x[e + 3u * P.quads])));
}
fn less(b: mat4x4f, v: vec4f) -> mat4x4f { return mat4x4f(b[0] - v, b[1] - v, b[2] - v, b[3] - v); }
fn store(o: u32, b: mat4x4f, scale: vec4f, offset: vec4f) {
  textureStore(texels, at(o), finish(b[0] * scale + offset));
  textureStore(texels, at(o + 1u), finish(b[1] * scale + offset));
  textureStore(texels, at(o + 2u), finish(b[2] * scale + offset));
  textureStore(texels, at(o + 3u), finish(b[3] * scale + offset));
}
`

/**
 * Group normalisation that writes what a convolution reads, images of four channels a texel: neither stores the values
 * in a buffer nor reads them from one. Undefined where groups and texels have no small multiple in common, and of RMS
 * norms, which run along an axis that no convolution slides over.
 *
 * Idea: a workgroup is one subgroup and takes groups that fill whole texels together. A block, four pixels of four
 * channels, is read by four accesses, of which each takes llvmpipe little longer than that of one number, and makes
 * four texels. Texel groups of few blocks stay in registers between their statistics and their texels, larger ones are
 * read twice.
 */
export function packedNorm({ inputs, attrs, epilogue }: Problem<NormAttrs>, layout: PackedLayout, target: Target): Kernel[] | undefined {
  const x = inputs[0] as Spec
  const g = geometry('norm', x, attrs)
  const { affine } = attrs
  const texelGroups = texelGroupsOf(g)
  if (target.subgroupSize === 0 || attrs.rms || g.inner % 4 || g.groups % texelGroups.size) return undefined
  if (layout.kind !== 'channels4' || layout.groups !== 1 || layout.channels !== x.shape[1] || layout.pixels !== g.inner) return undefined
  if (epilogue && (epilogue.extras > 0 || !epilogue.quad)) return undefined
  const texels = channels4Texels(layout)
  const weighted = affine !== 'none'
  const form = fitsRegisters(texelGroups, target) ? inRegisters(texelGroups, g.batch, target) : twoPass(texelGroups, target)
  return [assemble({
    label: `norm/${x.dtype}/centred/${affine}/packed/${form.name}${texelGroups.size === 1 ? '' : '/texel-groups'}${activationKey(attrs)}`,
    dtype: x.dtype,
    subgroups: true,
    params: {
      bundle: texelGroups.size, bundles: texelGroups.perImage, fours: texelGroups.fours, quads: texelGroups.quads, images: g.batch, zero: texels,
      'count: f32': f32Bits(g.channels * g.inner), 'channels_inverse: f32': f32Bits(1 / g.channels), 'eps: f32': f32Bits(attrs.eps), ...form.params,
    },
    storage: [
      bind(0, 'x', 'vec4<Scalar>'), ...(weighted ? [bind(1, 'weight', 'vec4<Scalar>')] : []), ...(affine === 'both' ? [bind(2, 'bias', 'vec4<Scalar>')] : []),
      texture(layout.texture, texels + 1, 'texels', 'write'), output(1, 'mean', 'f32'), output(2, 'rstd', 'f32'),
    ],
    body: /* wgsl */ `
override WG: u32;
${texelGroups.wgsl}
fn weight_of(four: u32) -> vec4f { return ${weighted ? 'vec4f(weight[four])' : 'vec4f(1)'}; }
fn bias_of(four: u32) -> vec4f { return ${affine === 'both' ? 'vec4f(bias[four])' : 'vec4f()'}; }
alias Vec = vec4f;
${activate(attrs)}
fn finish(v: vec4f) -> vec4f { return ${epilogue ? 'epilogue(activate(v))' : 'activate(v)'}; }
${blocks}
${form.body}`,
    constants: { WG: target.subgroupSize },
    workgroups: form.workgroups,
    epilogue: epilogue?.quad ? { ...epilogue, params: [], wgsl: (at) => epilogue.quad?.wgsl(at, []) ?? '' } : null,
  })]
}
