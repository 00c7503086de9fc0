import { stridedGroups } from '../dispatch.ts'
import { f32Bits, type ImageLayout, type Kernel, type Problem, type Spec, type Target } from '../op.ts'
import { imageTexels } from '../panels/index.ts'
import { assemble, divider, input as bind, output, texture } from '../wgsl/index.ts'
import { geometry, type NormAttrs } from './rows.ts'

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/**
 * Group normalisation that writes what a convolution reads, images of four channels a texel: neither stores the values in a
 * buffer nor reads them from one. Undefined where groups and texels have no small multiple in common.
 *
 * Idea: a workgroup is one subgroup and takes as many groups as fill whole texels, four at most: it finds the statistics of each,
 * and then makes four texels from four pixels of four channels.
 */
export function packedNorm({ inputs, attrs, epilogue }: Problem<NormAttrs>, layout: ImageLayout, target: Target): Kernel[] | undefined {
  const x = inputs[0] as Spec
  const g = geometry('norm', x, attrs)
  const bundle = 4 / gcd(g.channels, 4)
  const { rms, affine } = attrs
  if (target.subgroupSize === 0 || layout.groups !== 1 || layout.channels !== x.shape[1] || layout.pixels !== g.inner || g.inner % 4 || g.groups % bundle) return undefined
  if (epilogue && (epilogue.extras > 0 || !epilogue.quad)) return undefined
  const bundles = g.groups / bundle
  const items = g.batch * bundles
  const texels = imageTexels(layout)
  const byBundles = divider('bundles', bundles, items)
  const lane = ['x', 'y', 'z', 'w'] as const
  const weighted = affine !== 'none'
  const fours = (buffer: string): string => `vec4f(${lane.map((_, k) => `Acc(${buffer}[first + ${k}u])`).join(', ')})`
  return [assemble({
    label: `norm/${x.dtype}/${rms ? 'rms' : 'centred'}/${affine}/packed`,
    dtype: x.dtype,
    subgroups: true,
    params: {
      items, bundle, bundles, units: g.channels * g.inner / 4, pixels: g.inner, fours: bundle * g.channels / 4, images: g.batch, zero: texels,
      'count: f32': f32Bits(g.channels * g.inner), 'channels_inverse: f32': f32Bits(1 / g.channels), 'eps: f32': f32Bits(attrs.eps), ...byBundles.params,
    },
    storage: [
      bind(0, 'x', 'vec4<Scalar>'), bind(0, 'pixel'), ...(weighted ? [bind(1, 'weight')] : []), ...(affine === 'both' ? [bind(2, 'bias')] : []),
      texture(layout.texture, texels + 1, 'texels', 'write'), output(1, 'mean', 'f32'), output(2, 'rstd', 'f32'),
    ],
    body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var item = w.x; item < P.items; item += n.x) {
    let base = item * P.bundle * P.units;
    var shifts = vec4f();
    var rests = vec4f();
    var scales = vec4f();
    for (var j = 0u; j < P.bundle; j++) {
      // statistics of each lane's own stream, then of all of them
      var m = vec4f();
      var squares = vec4f();
      var n = 0.0;
      for (var i = lane; i < P.units; i += WG) {
        let v = vec4f(x[base + j * P.units + i]);
        ${rms ? 'squares += v * v;' : 'n += 1.0; let d = v - m; m += d / n; squares += d * (v - m);'}
      }
      ${rms ? `
      let shift = 0.0;
      let rest = 0.0;` : `
      let shift = subgroupBroadcastFirst(dot(m, vec4f(0.25)));
      let rest = subgroupAdd(n * dot(m - shift, vec4f(1))) / P.count;
      let apart = m - shift - rest;
      squares += n * apart * apart;`}
      let r = inverseSqrt(subgroupAdd(dot(squares, vec4f(1))) / P.count + P.eps);
      if (lane == 0u) { mean[item * P.bundle + j] = shift + rest; rstd[item * P.bundle + j] = r; }
      let own = vec4u(j) == vec4u(0u, 1u, 2u, 3u);
      shifts = select(shifts, vec4f(shift), own);
      rests = select(rests, vec4f(rest), own);
      scales = select(scales, vec4f(r), own);
    }
    let image = ${byBundles.over('item')};
    let begin = (item - image * P.bundles) * P.fours;
    for (var f = 0u; f < P.fours; f++) {
      let first = (begin + f) * 4u;
      let owner = vec4u((vec4f(vec4u(f * 4u) + vec4u(0u, 1u, 2u, 3u)) + 0.5) * P.channels_inverse);
      let shift = vec4f(${lane.map((c) => `shifts[owner.${c}]`).join(', ')});
      let rest = vec4f(${lane.map((c) => `rests[owner.${c}]`).join(', ')});
      let scale = vec4f(${lane.map((c) => `scales[owner.${c}]`).join(', ')})${weighted ? ` * ${fours('weight')}` : ''};
      let offset = ${affine === 'both' ? fours('bias') : 'vec4f()'};
      for (var i = lane; i < P.pixels; i += WG) {
        let e = (item * P.fours + f) * 4u * P.pixels + i;
        let v = (vec4f(${lane.map((_, k) => `Acc(pixel[e + ${k}u * P.pixels])`).join(', ')}) - shift - rest) * scale + offset;
        textureStore(texels, at(((begin + f) * P.images + image) * P.pixels + i), ${epilogue ? 'epilogue(v)' : 'v'});
      }
    }
  }
  if (w.x * WG + lane == 0u) { textureStore(texels, at(P.zero), vec4f()); }
}
`,
    constants: { WG: target.subgroupSize },
    workgroups: [stridedGroups(items, target), 1, 1],
    epilogue: epilogue?.quad && { ...epilogue, params: [], wgsl: (at) => epilogue.quad?.wgsl(at, []) ?? '' },
  })]
}
