import { f32Bits, type Kernel, type Problem, type Spec, type Target } from '../op.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
import { activate, activationKey, geometry, meanOf, type NormAttrs, parametersOf, rowWalk } from './rows.ts'

/** A normalisation of rows as they lie in their buffer: `norm` finds their statistics, `normApply` is given them after its other inputs. */
export function normKernel(label: 'norm' | 'normApply', { inputs, attrs, epilogue }: Problem<NormAttrs>, target: Target): Kernel {
  const x = inputs[0] as Spec
  const g = geometry(label, x, attrs)
  const { rms, affine } = attrs
  const given = label === 'normApply'
  const parameters = parametersOf(attrs)
  const weighted = parameters > 0
  // An epilogue that reads tensors would be compiled four times in a vector kernel, at some 40 ms a buffer access.
  const walk = rowWalk(g, weighted, !epilogue?.extras, target)
  const outType = epilogue?.dtype ?? x.dtype
  const vector = (width: 1 | 4, type: string): string => (width === 4 ? `vec4<${type}>` : type)
  const weight = walk.weightWidth === 4 ? 'Vec' : 'Acc'
  const stored = walk.width === 4
    ? `vec4<Out>(vec4f(epilogue(v.x, 4u * u), epilogue(v.y, 4u * u + 1u), epilogue(v.z, 4u * u + 2u), epilogue(v.w, 4u * u + 3u)))`
    : 'Out(epilogue(v, u))'
  const head = !weighted ? '' : `let scale = ${weight}(weight[channel]); ${affine === 'both' ? `let offset = ${weight}(bias[channel]);` : ''}`
  const body = `let v = activate((Vec(x[u]) - shift - rest) * r${weighted ? ' * scale' : ''}${affine === 'both' ? ' + offset' : ''}); out[u] = ${stored};`
  return assemble({
    label: `${label}/${x.dtype}/${given ? '' : rms ? 'rms/' : 'centred/'}${affine}/${walk.key}${activationKey(attrs)}`,
    dtype: x.dtype,
    subgroups: walk.lanes.subgroups,
    params: { ...walk.params, ...(given ? {} : { 'count: f32': f32Bits(g.channels * g.inner), 'eps: f32': f32Bits(attrs.eps) }) },
    storage: [
      bind(0, 'x', vector(walk.width, 'Scalar')),
      ...(weighted ? [bind(1, 'weight', vector(walk.weightWidth, 'Scalar'))] : []),
      ...(affine === 'both' ? [bind(2, 'bias', vector(walk.weightWidth, 'Scalar'))] : []),
      output(0, 'out', vector(walk.width, outType)),
      ...(given ? [bind(1 + parameters, 'mean', 'f32'), bind(2 + parameters, 'rstd', 'f32')] : [output(1, 'mean', 'f32'), output(2, 'rstd', 'f32')]),
    ],
    body: /* wgsl */ `alias Out = ${outType};
${activate(attrs)}
${given || rms ? '' : meanOf}${walk.wgsl}${given ? `
    let shift = mean[row];
    let rest = 0.0;
    let r = rstd[row];` : statistics(walk.width, rms)}${walk.each(head, body)}
  }
}
`,
    constants: { WG: walk.lanes.workgroup },
    workgroups: [walk.workgroups, 1, 1],
    epilogue,
  })
}

/** WGSL that finds and stores the mean of a row, `shift + rest`, and `r`, its 1 / deviation. */
function statistics(width: 1 | 4, rms: boolean): string {
  return /* wgsl */ `
    // statistics of each lane's own stream, then of all of them
    var m = Vec();
    var squares = Vec();
    var n = 0.0;
    for (var i = lane; i < units; i += lanes) {
      let v = Vec(x[base + i]);
      ${rms ? 'squares += v * v;' : 'n += 1.0; let d = v - m; m += d / n; squares += d * (v - m);'}
    }
    ${rms ? `
    let shift = 0.0;
    let rest = 0.0;` : `
    let shift = first(total(m) / ${width}.0, lane);
    let rest = all_sum(n * total(m - shift), lane) / P.count;
    let apart = m - shift - rest;
    squares += n * apart * apart;`}
    let r = inverseSqrt(all_sum(total(squares), lane) / P.count + P.eps);
    if (lane == 0u && units > 0u) { mean[row] = ${rms ? '0.0' : 'mean_of(shift + rest, r)'}; rstd[row] = r; }`
}
