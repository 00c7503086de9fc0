import { at } from '../at.ts'
import { inBlocks } from '../block-types.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import { stridedGroups } from '../dispatch.ts'
import type { Op, RefTensor, Spec } from '../op.ts'
import { computableFloat, element, input, refZeros, sameShape, shapeText, sizeOf } from '../shape.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
import { expectIndices, strange, strangeWgsl } from './indices.ts'
import { scatterKernels } from './scatter.ts'

/**
 * Rows of a table by index, as an embedding reads them: table `[V, …rest]`, indices `[…n]` (i32 or u32) -> `[…n, …rest]`.
 * An index outside [0, V) yields a row of NaN (integers: the least i32, the greatest u32), so that it shows; its
 * gradient is dropped.
 * @throws {ShapeError} if the table has rank 0 @throws {DTypeError} if indices are no integers, or the table is bf16 or in blocks
 */
export const gather: Op = {
  name: 'gather',
  infer(inputs) {
    const table = input('gather', inputs, 0)
    const indices = input('gather', inputs, 1)
    expectIndices('gather', indices)
    if (table.shape.length === 0) throw new ShapeError('gather: expected a table of rank 1 or more, got []')
    if (table.dtype === 'bf16' || inBlocks(table.dtype)) {
      throw new DTypeError(`gather: expected a table of f32, f16, i32 or u32, got ${table.dtype}; cast it with .to('f32')`)
    }
    return [{ shape: [...indices.shape, ...table.shape.slice(1)], dtype: table.dtype }]
  },
  kernels({ inputs, outputs }, target) {
    const table = inputs[0] as Spec
    const out = outputs[0] as Spec
    const inner = sizeOf(table.shape.slice(1))
    const wide = inner % 4 === 0
    const units = inner / (wide ? 4 : 1)
    const n = sizeOf(out.shape) / (wide ? 4 : 1)
    return [assemble({
      label: `gather/${table.dtype}/${wide ? 'vec4' : 'scalar'}`,
      dtype: table.dtype,
      params: { n, inner: units, rows: at(table.shape, 0), strange: strange(table.dtype).bits },
      storage: [bind(0, 'table', 'E'), bind(1, 'indices', 'u32'), output(0, 'out', 'E')],
      body: /* wgsl */ `
alias E = ${wide ? 'vec4<Scalar>' : 'Scalar'};
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.n; i += groups.x * WG) {
    // a negative index is a large u32
    let row = indices[i / P.inner];
    let ok = row < P.rows;
    let value = table[select(0u, row * P.inner + i % P.inner, ok)];
    out[i] = select(E(${strangeWgsl(table.dtype)}), value, ok);
  }
}
`,
      constants: { WG: 64 },
      workgroups: [stridedGroups(Math.ceil(n / 64), target), 1, 1],
      epilogue: null,
    })]
  },
  vjp(call, { inputs, grads }) {
    const [table, indices] = inputs
    const g = grads[0]
    if (table === undefined || indices === undefined || g === undefined) return []
    return [call(scatterAdd, [g, indices], { rows: call.spec(table).shape[0] })[0]]
  },
  reference(inputs) {
    const [table, indices] = inputs as readonly [RefTensor, RefTensor]
    const out = refZeros(gather.infer(inputs, {})[0]?.shape ?? [], table.dtype)
    const inner = sizeOf(table.shape.slice(1))
    const rows = at(table.shape, 0)
    for (let i = 0; i < out.data.length; i++) {
      const row = element(indices.data, Math.floor(i / inner))
      out.data[i] = row >= 0 && row < rows ? element(table.data, row * inner + i % inner) : strange(table.dtype).value
    }
    return [out]
  },
}

/** Attributes of {@link scatterAdd}: how many rows the result has. */
export type ScatterAddAttrs = { readonly rows: number }

/**
 * Sums rows by index: updates `[…n, …rest]`, indices `[…n]` (i32 or u32) -> `[rows, …rest]`, where no index points, zero.
 * The adjoint of {@link gather}. Each sum runs in f32 in the order of the updates, so results repeat bit for bit; no
 * atomics. Updates whose index is outside [0, rows) are dropped, and their gradient is NaN.
 * @throws {ShapeError} unless the updates' shape begins with the indices'
 * @throws {DTypeError} unless indices are integers and updates f32 or f16
 */
export const scatterAdd: Op<ScatterAddAttrs> = {
  name: 'scatterAdd',
  infer(inputs, { rows }) {
    const updates = input('scatterAdd', inputs, 0)
    const indices = input('scatterAdd', inputs, 1)
    computableFloat('scatterAdd', updates)
    expectIndices('scatterAdd', indices)
    const lead = indices.shape.length
    if (!sameShape(updates.shape.slice(0, lead), indices.shape)) {
      throw new ShapeError(`scatterAdd: expected updates whose shape begins with ${shapeText(indices.shape)}, got ${shapeText(updates.shape)}`)
    }
    if (!Number.isInteger(rows) || rows < 0) throw new ShapeError(`scatterAdd: expected a number of rows of 0 or more, got ${rows}`)
    return [{ shape: [rows, ...updates.shape.slice(lead)], dtype: updates.dtype }]
  },
  kernels: ({ inputs, attrs }, target) => {
    const [updates, indices] = inputs as readonly [Spec, Spec]
    const inner = sizeOf(updates.shape.slice(indices.shape.length))
    return scatterKernels(updates.dtype, attrs.rows, sizeOf(indices.shape), inner, target)
  },
  vjp(call, { inputs, grads }) {
    const [, indices] = inputs
    const g = grads[0]
    if (indices === undefined || g === undefined) return []
    return [call(gather, [g, indices])[0]]
  },
  reference(inputs, attrs) {
    const [updates, indices] = inputs as readonly [RefTensor, RefTensor]
    const out = refZeros(scatterAdd.infer(inputs, attrs)[0]?.shape ?? [], updates.dtype)
    const inner = sizeOf(updates.shape.slice(indices.shape.length))
    for (let i = 0; i < updates.data.length; i++) {
      const row = element(indices.data, Math.floor(i / inner))
      if (row >= 0 && row < attrs.rows) out.data[row * inner + i % inner] = element(out.data, row * inner + i % inner) + element(updates.data, i)
    }
    return [out]
  },
}
