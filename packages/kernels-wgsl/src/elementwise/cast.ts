import { inBlocks } from '../block-types.ts'
import { DTypeError } from '../errors.ts'
import { stridedGroups } from '../dispatch.ts'
import { byteSize, type DType, isFloat, type Op, type Spec } from '../op.ts'
import { element, input, refZeros, sizeOf } from '../shape.ts'
import { viewOf } from '../view/index.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
import { fusedKernel } from './fused.ts'

/** Attributes of {@link cast}. */
export type CastAttrs = { readonly dtype: DType }

/**
 * Converts elements. Real to integer truncates towards zero, what is beyond the integers becomes the last of them and NaN 0;
 * between integers the bits stay. Narrowing real types round to nearest even, bf16 is packed two to a word. Gradients pass
 * between real types.
 */
export const cast: Op<CastAttrs> = {
  name: 'cast',
  infer(inputs, { dtype }) {
    const x = input('cast', inputs, 0)
    if (inBlocks(dtype)) throw new DTypeError(`cast: expected a type that kernels write, got ${dtype}; upload the numbers with tensor()`)
    if (byteSize(dtype) === 0) throw new DTypeError(`cast: expected f32, f16, bf16, i32 or u32, got ${String(dtype)}`)
    return [{ shape: x.shape, dtype }]
  },
  // Two of bf16 share a word, which one invocation has to write.
  convertsTo: ['f32', 'f16', 'i32', 'u32'],
  kernels({ inputs, outputs }, target) {
    const x = inputs[0] as Spec
    const out = outputs[0] as Spec
    if (out.dtype !== 'bf16') {
      return [fusedKernel({
        inputs: [{ dtype: x.dtype, view: viewOf(x) }],
        scalars: [],
        steps: [{ op: undefined, args: [{ kind: 'input', index: 0 }], dtype: out.dtype }],
        output: out,
      }, target)]
    }
    const n = sizeOf(x.shape)
    return [assemble({
      label: `cast/${x.dtype}>bf16`,
      dtype: x.dtype,
      params: { n },
      storage: [bind(0, 'x'), output(0, 'out', 'u32')],
      body: /* wgsl */ `
override WG: u32;
// round to nearest even on the upper half of the float's bits; a NaN stays one
fn upper(i: u32) -> u32 {
  if (i >= P.n) { return 0u; }
  let b = bitcast<u32>(f32(x[i]));
  let nan = (b & 0x7fffffffu) > 0x7f800000u;
  return select((b + 0x7fffu + ((b >> 16u) & 1u)) >> 16u, (b >> 16u) | 0x40u, nan);
}
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < (P.n + 1u) / 2u; u += groups.x * WG) { out[u] = upper(2u * u) | (upper(2u * u + 1u) << 16u); }
}
`,
      constants: { WG: 64 },
      workgroups: [stridedGroups(Math.ceil(n / 128), target), 1, 1],
      epilogue: null,
    })]
  },
  vjp(call, { inputs, grads }) {
    const [x] = inputs
    const g = grads[0]
    if (x === undefined || g === undefined || !isFloat(call.spec(x).dtype) || !isFloat(call.spec(g).dtype)) return []
    return [call(cast, [g], { dtype: call.spec(x).dtype })[0]]
  },
  reference([x], { dtype }) {
    if (!x) return []
    const out = refZeros(x.shape, dtype)
    const whole = dtype === 'u32' ? (v: number) => v >>> 0 : (v: number) => v | 0
    const convert = isFloat(dtype) ? (v: number) => v : isFloat(x.dtype) ? (v: number) => saturated(v, dtype) : whole
    for (let i = 0; i < out.data.length; i++) out.data[i] = convert(element(x.data, i))
    return [out]
  },
}

/** The integer that a real number becomes. */
function saturated(x: number, dtype: DType): number {
  const [lo, hi] = dtype === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1]
  return Number.isNaN(x) ? 0 : Math.min(hi, Math.max(lo, Math.trunc(x)))
}
