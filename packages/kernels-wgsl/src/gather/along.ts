import { DTypeError, ShapeError } from '../errors.ts'
import { stridedGroups } from '../dispatch.ts'
import type { Op, Problem, RefTensor, Spec, Target } from '../op.ts'
import { computableFloat, element, input, refZeros, sameShape, shapeText, sizeOf } from '../shape.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
import { expectIndices, strange, strangeWgsl } from './indices.ts'

/** Kernel over every output element `i` of rows of `width`; the statements end in a store. */
function rowKernel(label: string, { inputs, outputs }: Problem, target: Target, body: string): ReturnType<typeof assemble> {
  const [x, indices] = inputs as readonly [Spec, Spec]
  const out = outputs[0] as Spec
  const n = sizeOf(out.shape)
  return assemble({
    label: `${label}/${x.dtype}`,
    dtype: x.dtype,
    params: { n, size: x.shape.at(-1) ?? 1, width: out.shape.at(-1) ?? 1, count: indices.shape.at(-1) ?? 1, strange: strange(x.dtype).bits },
    storage: [bind(0, 'x'), bind(1, 'indices', 'u32'), output(0, 'out')],
    body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    let row = i / P.width;
${body}  }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(n / 64), target), 1, 1],
    epilogue: null,
  })
}

/**
 * Elements of each row by index, as `torch.gather` along the last axis: x `[…b, n]`, indices `[…b, k]` (i32 or u32)
 * -> `[…b, k]`. An index outside [0, n) yields NaN, as in {@link gather}.
 * @throws {ShapeError} unless all axes but the last agree @throws {DTypeError} if indices are no integers, or x is bf16
 */
export const takeAlong: Op = {
  name: 'takeAlong',
  infer(inputs) {
    const x = input('takeAlong', inputs, 0)
    const indices = input('takeAlong', inputs, 1)
    expectIndices('takeAlong', indices)
    if (x.dtype === 'bf16') throw new DTypeError("takeAlong: expected f32, f16, i32 or u32, got bf16; cast it with .to('f32')")
    if (x.shape.length === 0 || x.shape.length !== indices.shape.length || !sameShape(x.shape.slice(0, -1), indices.shape.slice(0, -1))) {
      throw new ShapeError(`takeAlong: expected shapes that differ in the last axis only, got ${shapeText(x.shape)} and ${shapeText(indices.shape)}`)
    }
    return [{ shape: indices.shape, dtype: x.dtype }]
  },
  kernels: (problem, target) => [rowKernel('takeAlong', problem, target, /* wgsl */ `    let k = indices[i];
    let ok = k < P.size;
    let value = x[select(0u, row * P.size + k, ok)];
    out[i] = select(${strangeWgsl((problem.inputs[0] as Spec).dtype)}, value, ok);
`)],
  vjp(call, { inputs, grads }) {
    const [x, indices] = inputs
    const g = grads[0]
    if (x === undefined || indices === undefined || g === undefined) return []
    return [call(putAlong, [g, indices], { size: call.spec(x).shape.at(-1) })[0]]
  },
  reference(inputs) {
    const [x, indices] = inputs as readonly [RefTensor, RefTensor]
    const out = refZeros(indices.shape, x.dtype)
    const size = x.shape.at(-1) ?? 1
    const count = indices.shape.at(-1) ?? 1
    for (let i = 0; i < out.data.length; i++) {
      const k = element(indices.data, i)
      out.data[i] = k >= 0 && k < size ? element(x.data, Math.floor(i / count) * size + k) : strange(x.dtype).value
    }
    return [out]
  },
}

/** Attributes of {@link putAlong}: length of the result's last axis. */
export type PutAlongAttrs = { readonly size: number }

/**
 * Adds elements into rows of zeros by index: x `[…b, k]`, indices `[…b, k]` (i32 or u32) -> `[…b, size]`. The adjoint of
 * {@link takeAlong}: equal indices add up in f32, in order; one outside [0, size) is dropped, and its gradient is NaN.
 * Each output element looks through its row's k indices, so it is meant for small k.
 * @throws {ShapeError} unless the shapes are equal @throws {DTypeError} unless indices are integers and x f32 or f16
 */
export const putAlong: Op<PutAlongAttrs> = {
  name: 'putAlong',
  infer(inputs, { size }) {
    const x = input('putAlong', inputs, 0)
    const indices = input('putAlong', inputs, 1)
    computableFloat('putAlong', x)
    expectIndices('putAlong', indices)
    if (x.shape.length === 0 || !sameShape(x.shape, indices.shape)) {
      throw new ShapeError(`putAlong: expected equal shapes of rank 1 or more, got ${shapeText(x.shape)} and ${shapeText(indices.shape)}`)
    }
    if (!Number.isInteger(size) || size < 0) throw new ShapeError(`putAlong: expected a size of 0 or more, got ${size}`)
    return [{ shape: [...x.shape.slice(0, -1), size], dtype: x.dtype }]
  },
  kernels: (problem, target) => [rowKernel('putAlong', problem, target, /* wgsl */ `    let column = i % P.width;
    var s = Acc(0);
    for (var j = row * P.count; j < (row + 1u) * P.count; j++) { if (indices[j] == column) { s += Acc(x[j]); } }
    out[i] = Scalar(s);
`)],
  vjp(call, { inputs, grads }) {
    const [, indices] = inputs
    const g = grads[0]
    return indices === undefined || g === undefined ? [] : [call(takeAlong, [g, indices])[0]]
  },
  reference(inputs, { size }) {
    const [x, indices] = inputs as readonly [RefTensor, RefTensor]
    const out = refZeros([...x.shape.slice(0, -1), size], x.dtype)
    const count = x.shape.at(-1) ?? 1
    for (let i = 0; i < x.data.length; i++) {
      const k = element(indices.data, i)
      if (k < 0 || k >= size) continue
      const to = Math.floor(i / count) * size + k
      out.data[to] = element(out.data, to) + element(x.data, i)
    }
    return [out]
  },
}
