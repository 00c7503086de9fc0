import { at } from '../at.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import { stridedGroups } from '../dispatch.ts'
import type { DType, Kernel, Op, Problem, RefTensor, Spec, Target } from '../op.ts'
import { input, refZeros, sameShape, shapeText, sizeOf } from '../shape.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
import { type Distribution, normal, uniform } from './distributions.ts'
import { philoxBlock, philoxWgsl } from './philox.ts'

/** Attributes of {@link philoxUniform} and {@link philoxNormal}; `dtype` is f32 unless said. */
export type RandomAttrs = { readonly shape: readonly number[]; readonly dtype?: 'f32' | 'f16' }

/*
 * Element i is made from word i mod 4 of block floor(i / 4) + offset. Counter word 0 holds the block's number and word 1
 * its carry, word 2 the stream, word 3 zero; the key holds the seed. Core's `philoxUniform` and `philoxNormal` on the CPU
 * share this layout and these formulas.
 */

function infer(op: string, inputs: readonly Spec[], { shape, dtype = 'f32' }: RandomAttrs): readonly Spec[] {
  const state = input(op, inputs, 0)
  if (state.dtype !== 'u32') throw new DTypeError(`${op}: expected a state of dtype u32, got ${state.dtype}`)
  if (!sameShape(state.shape, [4])) {
    throw new ShapeError(`${op}: expected a state [4] of seed low, seed high, stream and offset, got ${shapeText(state.shape)}`)
  }
  if (shape.some((d) => !Number.isInteger(d) || d < 0)) {
    throw new ShapeError(`${op}: expected sizes that are integers of 0 or more, got ${shapeText(shape)}`)
  }
  if (dtype !== 'f32' && dtype !== 'f16') throw new DTypeError(`${op}: expected dtype f32 or f16, got ${String(dtype)}`)
  return [{ shape, dtype }]
}

/** Idea: one invocation a block of four words; it stores a vector, or single elements where the size is no multiple of 4. */
function kernel(name: string, { outputs }: Problem<RandomAttrs>, target: Target, { wgsl }: Distribution): Kernel {
  const out = outputs[0] as Spec
  const n = sizeOf(out.shape)
  const wide = n % 4 === 0
  return assemble({
    label: `${name}/${out.dtype}/${wide ? 'vec4' : 'scalar'}`,
    dtype: out.dtype,
    params: { n, blocks: Math.ceil(n / 4) },
    storage: [bind(0, 'state', 'vec4u'), output(0, 'out', wide ? 'vec4<Scalar>' : 'Scalar')],
    body: /* wgsl */ `${philoxWgsl}${wgsl(out.dtype)}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let s = state[0];
  for (var b = id.x; b < P.blocks; b += groups.x * WG) {
    let block = b + s.w;
    let words = philox(vec4u(block, select(0u, 1u, block < b), s.z, 0u), s.xy);
    let v = vec4<Scalar>(values(fractions(words)));
    ${wide ? 'out[b] = v;' : 'for (var j = 0u; j < min(4u, P.n - 4u * b); j++) { out[4u * b + j] = v[j]; }'}
  }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(n / 256), target), 1, 1],
    epilogue: null,
  })
}

function reference(inputs: readonly RefTensor[], shape: readonly number[], dtype: DType, { values }: Distribution): RefTensor {
  const [low = 0, high = 0, stream = 0, offset = 0] = input('philox', inputs, 0).data
  const out = refZeros(shape, dtype)
  for (let start = 0; start < out.data.length; start += 4) {
    const block = start / 4 + offset
    const words = philoxBlock([block >>> 0, Math.floor(block / 2 ** 32), stream, 0], [low, high])
    const four = values(words.map((w) => (w >>> 8) * 2 ** -24), dtype)
    for (let j = 0; j < 4 && start + j < out.data.length; j++) out.data[start + j] = at(four, j)
  }
  return out
}

/**
 * Uniform numbers in [0, 1), multiples of 2^-24; in f16 each is rounded down, so that none is 1 and as many are below a half as in f32.
 * Input: u32 `[4]` = seed low, seed high, stream, offset in blocks of four elements. Output: `shape`.
 * Equal in every f32 bit to core's `philoxUniform` with the same seed and stream and offset 0.
 * @throws {ShapeError} unless the state is `[4]` @throws {DTypeError} unless it is u32 and the output f32 or f16
 */
export const philoxUniform: Op<RandomAttrs> = {
  name: 'philoxUniform',
  infer: (inputs, attrs) => infer('philoxUniform', inputs, attrs),
  kernels: (problem, target) => [kernel('philoxUniform', problem, target, uniform)],
  reference: (inputs, { shape, dtype = 'f32' }) => [reference(inputs, shape, dtype, uniform)],
}

/**
 * Standard normal numbers by Box–Muller on the uniforms (u0, u1) and (u2, u3) of each block:
 * r = √(−2 ln(1 − u0)), θ = 2π·u1, elements r cos θ and r sin θ; |z| ≤ 5.77. State and output as {@link philoxUniform}.
 * @throws {ShapeError} unless the state is `[4]` @throws {DTypeError} unless it is u32 and the output f32 or f16
 */
export const philoxNormal: Op<RandomAttrs> = {
  name: 'philoxNormal',
  infer: (inputs, attrs) => infer('philoxNormal', inputs, attrs),
  kernels: (problem, target) => [kernel('philoxNormal', problem, target, normal)],
  reference: (inputs, { shape, dtype = 'f32' }) => [reference(inputs, shape, dtype, normal)],
}
