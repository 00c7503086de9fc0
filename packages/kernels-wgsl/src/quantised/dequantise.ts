import { stridedGroups } from '../dispatch.ts'
import { DTypeError } from '../errors.ts'
import type { DType, Op, Problem, RefTensor } from '../op.ts'
import { element, refZeros } from '../shape.ts'
import { assemble, divider, input as bind, output } from '../wgsl/index.ts'
import { byteAt, byteMatrix, unpack } from './sizes.ts'

/** Attributes of {@link dequantise}: the element type of the result, f32 or f16. */
export type DequantiseAttrs = { readonly dtype: DType }

/**
 * `scale[r] · byte[r, c]`: words u32 `[R, C/4]` and scale f32 `[R]` as `quantise` makes them -> `[R, C]`. It has no gradient.
 * @throws {ShapeError} if shapes do not fit @throws {DTypeError} on other dtypes
 */
export const dequantise: Op<DequantiseAttrs> = {
  name: 'dequantise',
  infer(inputs, { dtype }) {
    const { rows, columns } = byteMatrix('dequantise', inputs, 0)
    if (dtype !== 'f32' && dtype !== 'f16') throw new DTypeError(`dequantise: expected f32 or f16, got ${dtype}`)
    return [{ shape: [rows, columns], dtype }]
  },
  // Idea: an invocation reads a word and stores four numbers.
  kernels({ inputs, attrs: { dtype } }: Problem<DequantiseAttrs>, target) {
    const { rows, columns } = byteMatrix('dequantise', inputs, 0)
    const units = rows * columns / 4
    const across = divider('across', columns / 4, units)
    return [assemble({
      label: `dequantise/${dtype}`,
      dtype,
      params: { units, across: columns / 4, ...across.params },
      storage: [bind(0, 'words', 'u32'), bind(1, 'scale', 'f32'), output(0, 'out', 'vec4<Scalar>')],
      body: /* wgsl */ `${unpack}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < P.units; i += groups.x * WG) {
    out[i] = vec4<Scalar>(scale[${across.over('i')}] * unpack(words[i]));
  }
}
`,
      constants: { WG: 64 },
      workgroups: [stridedGroups(Math.ceil(units / 64), target), 1, 1],
      epilogue: null,
    })]
  },
  reference(inputs, attrs) {
    const [words, scale] = inputs as readonly [RefTensor, RefTensor]
    const { rows, columns } = byteMatrix('dequantise', inputs, 0)
    const out = refZeros([rows, columns], attrs.dtype)
    for (let i = 0; i < out.data.length; i++) out.data[i] = element(scale.data, Math.floor(i / columns)) * byteAt(words.data, i)
    return [out]
  },
}
