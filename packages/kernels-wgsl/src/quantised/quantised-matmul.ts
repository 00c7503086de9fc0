import { stridedGroups } from '../dispatch.ts'
import { ShapeError } from '../errors.ts'
import { matmul } from '../matmul/index.ts'
import type { Op, Problem, RefTensor, Spec } from '../op.ts'
import { computableFloat, element, expectRank, input, refZeros, shapeText } from '../shape.ts'
import { assemble, divider, input as bind, lanesFor, output, repeat } from '../wgsl/index.ts'
import { dequantise } from './dequantise.ts'
import { byteAt, byteMatrix, unpack } from './sizes.ts'

/** Rows of x that meet a row of words while it is in registers. */
const together = 4

/**
 * `x · Wᵀ` by a matrix W of bytes that is never dequantised in memory: `y[m, r] = scale[r] · Σ_c x[m, c] · byte[r, c]`, summed in f32.
 * x `[M, C]`, words u32 `[R, C/4]` and scale f32 `[R]` as `quantise` makes them -> `[M, R]`. The gradient of x is that of the
 * dequantised product; words and scales get none.
 * @throws {ShapeError} if shapes do not fit @throws {DTypeError} on other dtypes, or unless x is f32 or f16
 */
export const quantisedMatmul: Op = {
  name: 'quantisedMatmul',
  epilogue: true,
  infer(inputs) {
    const x = input('quantisedMatmul', inputs, 0)
    const dtype = computableFloat('quantisedMatmul', x)
    expectRank('quantisedMatmul', 'x [M, C]', x, 2)
    const { rows, columns } = byteMatrix('quantisedMatmul', inputs, 1)
    if (x.shape[1] !== columns) throw new ShapeError(`quantisedMatmul: expected x [M, ${columns}] for words of ${columns} columns, got ${shapeText(x.shape)}`)
    return [{ shape: [x.shape[0]!, rows], dtype }]
  },
  flops: ([x], [y]) => 2 * (x?.shape[1] ?? 0) * (y?.shape[0] ?? 0) * (y?.shape[1] ?? 0),
  // Idea: lanes side by side read neighbouring words of one row, of which each word serves four rows of x. Memory is what it takes,
  // a quarter of that of f32: made for few rows of x, as a text encoder or a step of one image has them.
  kernels({ inputs, outputs, epilogue }: Problem, target) {
    const [x, y] = [inputs[0], outputs[0]] as [Spec, Spec]
    const { rows, columns } = byteMatrix('quantisedMatmul', inputs, 1)
    const m = x.shape[0]!
    const blocks = Math.ceil(m / together)
    const items = blocks * rows
    const lanes = lanesFor(columns / 4, target)
    const byRows = divider('rows', rows, items)
    const outType = epilogue?.dtype ?? y.dtype
    return [assemble({
      label: `quantisedMatmul/${x.dtype}/${lanes.subgroups ? 'subgroup' : 'tree'}`,
      dtype: x.dtype,
      subgroups: lanes.subgroups,
      params: { items, m, rows, units: columns / 4, ...byRows.params },
      storage: [bind(0, 'x', 'vec4<Scalar>'), bind(1, 'words', 'u32'), bind(2, 'scale', 'f32'), output(0, 'out', outType)],
      body: /* wgsl */ `${unpack}
override WG: u32;
${lanes.wgsl}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var item = w.x; item < P.items; item += groups.x) {
    let block = ${byRows.over('item')};
    let row = item - block * P.rows;
    // Beyond the last row the last is multiplied again, and not stored.
    let at = min(vec4u(${together}u * block) + vec4u(0u, 1u, 2u, 3u), vec4u(P.m - 1u)) * P.units;
    let by = scale[row];
    var sums = vec4f();
    for (var u = lane; u < P.units; u += WG) {
      // Scaled first, a sum stays in range where the product does.
      let weight = by * unpack(words[row * P.units + u]);
      sums += vec4f(${repeat(together, (k) => `dot(weight, vec4f(x[at[${k}] + u]))`, ', ')});
    }
    let y = vec4f(${repeat(together, (k) => `all_sum(sums[${k}], lane)`, ', ')});
    for (var k = lane; k < ${together}u; k += WG) {
      let i = (${together}u * block + k) * P.rows + row;
      if (${together}u * block + k < P.m) { out[i] = ${outType}(epilogue(y[k], i)); }
    }
  }
}
`,
      constants: { WG: lanes.workgroup },
      workgroups: [stridedGroups(items, target), 1, 1],
      epilogue,
    })]
  },
  vjp(call, { inputs, grads, needs }) {
    const [x, words, scale] = inputs
    const g = grads[0]
    if (g === undefined || x === undefined || words === undefined || scale === undefined || !needs[0]) return []
    const weight = call(dequantise, [words, scale], { dtype: call.spec(x).dtype })[0] as typeof x
    return [call(matmul, [g, weight], { transposeA: false, transposeB: false })[0]]
  },
  reference(inputs) {
    const [x, words, scale] = inputs as readonly [RefTensor, RefTensor, RefTensor]
    const { rows, columns } = byteMatrix('quantisedMatmul', inputs, 1)
    const m = x.shape[0]!
    const out = refZeros([m, rows], x.dtype)
    for (let i = 0; i < m; i++) {
      for (let row = 0; row < rows; row++) {
        let sum = 0
        for (let c = 0; c < columns; c++) sum += element(x.data, i * columns + c) * element(scale.data, row) * byteAt(words.data, row * columns + c)
        out.data[i * rows + row] = sum
      }
    }
    return [out]
  },
}
