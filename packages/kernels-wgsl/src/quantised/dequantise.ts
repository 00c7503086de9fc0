import { type BlockType, blockTypes, inBlocks } from '../block-types.ts'
import { stridedGroups } from '../dispatch.ts'
import { DTypeError } from '../errors.ts'
import type { DType, Op, Problem, RefTensor } from '../op.ts'
import { input, sizeOf } from '../shape.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
import { fourOf } from './four.ts'

/** Attributes of {@link dequantise}: the element type of the result, f32 or f16. */
export type DequantiseAttrs = { readonly dtype: DType }

/**
 * The numbers that blocks stand for, each computed in f32 and rounded once: `[…]` in blocks -> `[…]`. It has no gradient.
 * @throws {DTypeError} if x is not in blocks, or the result would be of another type
 */
export const dequantise: Op<DequantiseAttrs> = {
  name: 'dequantise',
  takesBlocks: true,
  recomputed: true,
  blocksGradient: true,
  infer(inputs, { dtype }) {
    const x = input('dequantise', inputs, 0)
    if (!inBlocks(x.dtype)) throw new DTypeError(`dequantise: expected a type in blocks, got ${x.dtype}; cast it with .to()`)
    if (dtype !== 'f32' && dtype !== 'f16') throw new DTypeError(`dequantise: expected f32 or f16, got ${dtype}`)
    return [{ shape: x.shape, dtype }]
  },
  // Idea: an invocation makes four neighbours, which share bytes of their block, and stores them at once.
  kernels({ inputs, attrs: { dtype } }: Problem<DequantiseAttrs>, target) {
    const { shape, dtype: type } = input('dequantise', inputs, 0) as { shape: readonly number[]; dtype: BlockType }
    const units = sizeOf(shape) / 4
    const { size, bytes } = blockTypes[type]
    return [assemble({
      label: `dequantise/${type}>${dtype}`,
      dtype,
      params: { units },
      storage: [bind(0, 'blocks', 'u32'), output(0, 'out', 'vec4<Scalar>')],
      body: /* wgsl */ `${fourOf(type)}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.units; u += groups.x * WG) {
    out[u] = vec4<Scalar>(four(${bytes}u * (u >> ${Math.log2(size / 4)}u), u & ${size / 4 - 1}u));
  }
}
`,
      constants: { WG: 64 },
      workgroups: [stridedGroups(Math.ceil(units / 64), target), 1, 1],
      epilogue: null,
    })]
  },
  reference: ([x], { dtype }) => (x ? [{ shape: x.shape, dtype, data: x.data } satisfies RefTensor] : []),
}
