import { at } from '../at.ts'
import { stridedGroups } from '../dispatch.ts'
import { bindingAlignment, type Kernel, type Op, type Spec, type Target } from '../op.ts'
import { element, input, refZeros, sameDType, sizeOf } from '../shape.ts'
import { reshape } from '../view/index.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
import { expectWholeWords, slice } from './slice.ts'

/** Elements at whose multiples a tensor of a {@link flatConcat} may start, so that kernels can bind it in f16 too. */
const flatAlignment = bindingAlignment / 2

/** Where a {@link flatConcat} puts tensors of these sizes, and how many elements it has; in elements. */
export function flatOffsets(sizes: readonly number[]): { readonly starts: readonly number[]; readonly size: number } {
  let size = 0
  const starts = sizes.map((n) => {
    const start = size
    size += Math.ceil(n / flatAlignment) * flatAlignment
    return start
  })
  return { starts, size }
}

/**
 * Tensors of one dtype and any shapes end to end, flat, each where {@link flatOffsets} says and with zeros up to the next: many
 * small tensors become one, which takes one kernel where they would take one each.
 *
 * What is computed can be computed in its place; stored tensors that an update overwrites through it are moved together.
 * Then nothing is copied. @throws {DTypeError} if dtypes differ or are bf16
 */
export const flatConcat: Op = {
  name: 'flatConcat',
  infer(inputs) {
    const dtype = sameDType('flatConcat', inputs)
    expectWholeWords('flatConcat', input('flatConcat', inputs, 0))
    return [{ shape: [flatOffsets(inputs.map((s) => sizeOf(s.shape))).size], dtype }]
  },
  coalesces: true,
  offsetsInOutput: (inputs) => flatOffsets(inputs.map((s) => sizeOf(s.shape))).starts,
  kernels({ inputs }, target) {
    const sizes = inputs.map((s) => sizeOf(s.shape))
    const { starts } = flatOffsets(sizes)
    const { dtype } = input('flatConcat', inputs, 0)
    return [zeros(dtype, starts.map((start, k) => start + at(sizes, k)), target), ...inputs.map((x, k) => copy(x, k, at(starts, k), target))]
  },
  vjp(call, { inputs, grads: [g] }) {
    if (g === undefined) return []
    const specs = inputs.map((x) => call.spec(x))
    const { starts } = flatOffsets(specs.map((s) => sizeOf(s.shape)))
    return specs.map(({ shape }, k) => {
      const start = at(starts, k)
      const part = call(slice, [g], { axis: 0, start, end: start + sizeOf(shape) })
      return call(reshape, part, { shape })[0]
    })
  },
  reference(inputs, attrs) {
    const [spec] = flatConcat.infer(inputs, attrs) as [Spec]
    const out = refZeros(spec.shape, spec.dtype)
    const { starts } = flatOffsets(inputs.map((x) => x.data.length))
    inputs.forEach((x, k) => {
      const start = at(starts, k)
      for (let i = 0; i < x.data.length; i++) out.data[start + i] = element(x.data, i)
    })
    return [out]
  },
}

/** Zeros from each end up to where the next tensor may start. */
function zeros(dtype: Spec['dtype'], ends: readonly number[], target: Target): Kernel {
  const words = Math.ceil(ends.length / 4)
  return assemble({
    label: `flatConcat/${dtype}/zeros`,
    dtype,
    params: { [`ends: array<vec4u, ${words}>`]: Array.from({ length: 4 * words }, (_, k) => ends[k] ?? 0), n: ends.length * flatAlignment },
    storage: [output(0, 'out')],
    body: /* wgsl */ `
const ALIGNMENT = ${flatAlignment}u;
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let k = i / ALIGNMENT;
    let end = P.ends[k / 4u][k % 4u];
    let gap = (ALIGNMENT - end % ALIGNMENT) % ALIGNMENT;
    if (i % ALIGNMENT < gap) { out[end + i % ALIGNMENT] = Scalar(0); }
  }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(ends.length * flatAlignment / 64, target), 1, 1],
    epilogue: null,
  })
}

function copy(x: Spec, index: number, start: number, target: Target): Kernel {
  const size = sizeOf(x.shape)
  const width = size % 4 === 0 ? 4 : 1
  return assemble({
    label: `flatConcat/${x.dtype}/${width}`,
    dtype: x.dtype,
    params: { n: size / width, start: start / width },
    storage: [bind(index, 'x', 'E'), output(0, 'out', 'E')],
    body: /* wgsl */ `
alias E = ${width === 4 ? 'vec4<Scalar>' : 'Scalar'};
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) { out[P.start + i] = x[i]; }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(size / width / 64), target), 1, 1],
    epilogue: null,
  })
}
