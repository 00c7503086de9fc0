import { stridedGroups } from '../dispatch.ts'
import type { Kernel, Problem, Target } from '../op.ts'
import { input } from '../shape.ts'
import { assemble, input as bind, lanesFor, output, scratch, type Storage } from '../wgsl/index.ts'
import { geometry, type NormAttrs } from './rows.ts'

/**
 * Sums over the batch and the inner axes, in a fixed order. Long inner axes: lanes stride along them and meet, a channel
 * at a time. Short ones: each invocation has a channel (four where they lie together) to itself. A batch that leaves the
 * machine idle otherwise is cut into parts, whose sums a second kernel adds.
 */
export function weightGradKernels(problem: Problem<NormAttrs>, target: Target): Kernel[] {
  const { dtype } = input('normWeightGrad', problem.inputs, 1)
  const { batch, groups, channels: perGroup, inner } = geometry('normWeightGrad', input('normWeightGrad', problem.inputs, 1), problem.attrs)
  const planes = inner >= 8
  const wide = planes ? inner % 4 === 0 : inner === 1 && perGroup % 4 === 0
  const width = wide ? 4 : 1
  const lanes = lanesFor(Math.ceil(inner / width), target)
  const wg = planes ? lanes.workgroup : target.kind === 'software' ? target.subgroupSize || 8 : 64
  // Units are channels, or four of them where a vector spans channels.
  const across = planes ? 1 : width
  const channels = groups * perGroup / across
  const parts = Math.max(1, Math.min(Math.ceil(batch / 16), Math.ceil(target.tuning.busy / (planes ? channels : Math.ceil(channels / wg)))))
  const vector = (type: string): string => (wide ? `vec4<${type}>` : type)
  const sum = planes ? 'f32' : vector('f32')
  const partial = (k: number, name: string, type: string): Storage => scratch(k, 4 * parts * groups * perGroup, name, type)
  const stored = parts > 1 ? sum : planes ? 'Scalar' : vector('Scalar')
  const first = assemble({
    label: `normWeightGrad/${dtype}/${planes ? 'planes' : 'columns'}/${wide ? 'vec4' : 'scalar'}${parts > 1 ? '/parts' : ''}`,
    dtype,
    subgroups: planes && lanes.subgroups,
    params: {
      items: channels * parts, channels, per_group: perGroup / across, groups, batch,
      images: Math.ceil(batch / parts), span: planes ? inner / width : inner,
    },
    storage: [
      bind(0, 'dy', vector('Scalar')), bind(1, 'x', vector('Scalar')), bind(2, 'mean', 'f32'), bind(3, 'rstd', 'f32'),
      ...(parts > 1 ? [partial(0, 'dweight', sum), partial(1, 'dbias', sum)] : [output(0, 'dweight', stored), output(1, 'dbias', stored)]),
    ],
    body: /* wgsl */ `
override WG: u32;
alias Vec = ${vector('f32')};
${planes ? `fn total(v: Vec) -> f32 { return ${wide ? 'dot(v, vec4f(1))' : 'v'}; }${lanes.wgsl}` : ''}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var item = ${planes ? 'w.x' : 'w.x * WG + lane'}; item < P.items; item += ${planes ? 'n.x' : 'n.x * WG'}) {
    let channel = item % P.channels;
    let begin = item / P.channels * P.images;
    let end = min(begin + P.images, P.batch);
    var s = Vec();
    var t = Vec();
    for (var image = begin; image < end; image++) {
      let row = image * P.groups + channel / P.per_group;
      let m = mean[row];
      let r = rstd[row];
      let base = (image * P.channels + channel) * P.span;
      for (var u = base${planes ? ' + lane' : ''}; u < base + P.span; u += ${planes ? 'WG' : '1u'}) {
        let g = Vec(dy[u]);
        s += g;
        t += g * (Vec(x[u]) - m) * r;
      }
    }
    ${planes ? `
    let weight = all_sum(total(t), lane);
    let bias = all_sum(total(s), lane);
    if (lane == 0u) { dweight[item] = ${stored}(weight); dbias[item] = ${stored}(bias); }` : `
    dweight[item] = ${stored}(t);
    dbias[item] = ${stored}(s);`}
  }
}
`,
    constants: { WG: wg },
    workgroups: [stridedGroups(planes ? channels * parts : Math.ceil(channels * parts / wg), target), 1, 1],
    epilogue: null,
  })
  if (parts === 1) return [first]
  const count = groups * perGroup
  return [first, assemble({
    label: `normWeightGrad/${dtype}/sum`,
    dtype,
    params: { count, parts },
    storage: [
      partial(0, 'weights', 'f32'), partial(1, 'biases', 'f32'), output(0, 'dweight'), output(1, 'dbias'),
    ],
    body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) n: vec3u) {
  for (var c = id.x; c < P.count; c += n.x * WG) {
    var s = 0.0;
    var t = 0.0;
    for (var i = c; i < P.count * P.parts; i += P.count) { t += weights[i]; s += biases[i]; }
    dweight[c] = Scalar(t);
    dbias[c] = Scalar(s);
  }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(count / 64), target), 1, 1],
    epilogue: null,
  })]
}
