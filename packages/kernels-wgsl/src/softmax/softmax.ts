import { stridedGroups } from '../dispatch.ts'
import { ShapeError } from '../errors.ts'
import type { Op, Problem, Spec } from '../op.ts'
import { reduce } from '../reduce/index.ts'
import { computableFloat, element, input, refZeros, shapeText, sizeOf } from '../shape.ts'
import { assemble, input as bind, lanesFor, leastFinite, output, weightOf } from '../wgsl/index.ts'

/**
 * `y_i = exp(x_i − max) / Σ_j exp(x_j − max)` over the last axis, summed in f32. x `[…, D]` -> `[…, D]`.
 * A value of −∞ gets 0, and a row of nothing else, fully masked, is 0 throughout where torch gives NaN. Any finite value is a number as
 * others are: a row that is a dtype's lowest throughout is uniform. A row with NaN or ∞ is NaN throughout, as in torch.
 * @throws {ShapeError} if x has rank 0 @throws {DTypeError} unless x is f32 or f16
 */
export const softmax: Op = {
  name: 'softmax',
  epilogue: true,
  infer(inputs) {
    const x = input('softmax', inputs, 0)
    const dtype = computableFloat('softmax', x)
    if (x.shape.length === 0) throw new ShapeError(`softmax: expected rank 1 or more, got ${shapeText(x.shape)}`)
    return [{ shape: x.shape, dtype }]
  },
  // Idea: one subgroup (or workgroup) a row. Each lane keeps the maximum and the sum of what it has read, rescaling the
  // sum as the maximum grows, so that a row is read twice and not three times.
  kernels({ inputs, epilogue }: Problem, target) {
    const x = inputs[0] as Spec
    const length = x.shape.at(-1) ?? 1
    const rows = length === 0 ? 0 : sizeOf(x.shape) / length
    // An epilogue that reads tensors would be compiled four times in a vector kernel, at some 40 ms a buffer access.
    const wide = length % 4 === 0 && !epilogue?.extras
    const width = wide ? 4 : 1
    const lanes = lanesFor(length / width, target)
    const outType = epilogue?.dtype ?? x.dtype
    const vector = (type: string): string => (wide ? `vec4<${type}>` : type)
    return [assemble({
      label: `softmax/${x.dtype}/${wide ? 'vec4' : 'scalar'}/${lanes.subgroups ? 'subgroup' : 'tree'}`,
      dtype: x.dtype,
      subgroups: lanes.subgroups,
      params: { rows, units: length / width },
      storage: [bind(0, 'x', vector('Scalar')), output(0, 'out', vector(outType))],
      body: /* wgsl */ `
alias Out = ${outType};
alias Vec = ${vector('f32')};
override WG: u32;
fn total(v: Vec) -> f32 { return ${wide ? 'dot(v, vec4f(1))' : 'v'}; }
fn highest(v: Vec) -> f32 { return ${wide ? 'max(max(v.x, v.y), max(v.z, v.w))' : 'v'}; }
${weightOf(width)}${lanes.wgsl}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var row = w.x; row < P.rows; row += groups.x) {
    let base = row * P.units;
    var own = ${leastFinite};
    var sum = Vec();
    for (var u = base + lane; u < base + P.units; u += WG) {
      let v = Vec(x[u]);
      let higher = max(own, highest(v));
      sum = sum * exp(own - higher) + weight(v - higher);
      own = higher;
    }
    let top = all_max(own, lane);
    let whole = all_sum(total(sum) * exp(own - top), lane);
    // NaN, which a maximum may drop, is in the sum.
    let scale = select(1.0 / whole, 0.0, whole == 0.0);
    for (var u = base + lane; u < base + P.units; u += WG) {
      let v = weight(Vec(x[u]) - top) * scale;
      out[u] = ${wide
        ? 'vec4<Out>(vec4f(epilogue(v.x, 4u * u), epilogue(v.y, 4u * u + 1u), epilogue(v.z, 4u * u + 2u), epilogue(v.w, 4u * u + 3u)))'
        : 'Out(epilogue(v, u))'};
    }
  }
}
`,
      constants: { WG: lanes.workgroup },
      workgroups: [stridedGroups(rows, target), 1, 1],
      epilogue,
    })]
  },
  // dx = y · (g − Σ g·y)
  vjp(call, { outputs, grads }) {
    const [y] = outputs
    const g = grads[0]
    if (y === undefined || g === undefined) return []
    const axis = call.spec(y).shape.length - 1
    const sum = call(reduce, [call.m.mul(g, y)], { kind: 'sum', start: axis, end: axis + 1 })[0] as typeof y
    return [call.m.mul(y, call.m.sub(g, sum))]
  },
  reference(inputs) {
    const x = input('softmax', inputs, 0)
    const y = refZeros(x.shape, x.dtype)
    const length = x.shape.at(-1) ?? 1
    for (let base = 0; base < x.data.length; base += length) {
      const row = x.data.subarray(base, base + length)
      const top = row.reduce((m, v) => Math.max(m, v), -Infinity)
      if (top === -Infinity) continue
      const total = row.reduce((s, v) => s + Math.exp(v - top), 0)
      for (let i = 0; i < length; i++) y.data[base + i] = Math.exp(element(row, i) - top) / total
    }
    return [y]
  },
}
