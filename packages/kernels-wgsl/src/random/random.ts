import { DTypeError, ShapeError } from '../errors.ts'
import { stridedGroups } from '../dispatch.ts'
import type { DType, Kernel, Op, Problem, Ref, Spec, Target } from '../op.ts'
import { input, refZeros, sameShape, shapeText, sizeOf } from '../shape.ts'
import { assemble, input as bind, output } from '../wgsl/index.ts'
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

const uniformWgsl = /* wgsl */ `
fn values(u: vec4f) -> vec4f { return u; }
`

/*
 * WGSL lets log, sin and cos err by 2^-21 and 2^-11 absolute, which would make noise depend on the adapter. Here x = 1 − u
 * and u are 24-bit fractions, so their reduction is exact and short series reach f32 accuracy everywhere:
 * ln x = e·ln 2 + 2·artanh((m − 1)/(m + 1)) with x = m·2^e and m within a factor √2 of 1; and 4u = q + f, |f| ≤ 1/2,
 * turns the angle into q quarter turns and a remainder of at most π/4.
 */
const normalWgsl = /* wgsl */ `
fn radius(u: f32) -> f32 {
  let bits = bitcast<u32>(1.0 - u) + (0x3f800000u - 0x3f3504f3u);
  let m = bitcast<f32>((bits & 0x7fffffu) + 0x3f3504f3u);
  let s = (m - 1.0) / (m + 1.0);
  let q = s * s;
  let near = 2.0 * s * (1.0 + q * (0.33333333 + q * (0.2 + q * (0.14285714 + q * 0.11111111))));
  return sqrt(max(0.0, -2.0 * (f32(i32(bits >> 23u) - 127) * 0.69314718 + near)));
}
fn direction(u: f32) -> vec2f {
  let turns = floor(4.0 * u + 0.5);
  let a = 1.57079633 * (4.0 * u - turns);
  let q = a * a;
  let c = 1.0 + q * (-0.5 + q * (0.041666667 + q * (-0.0013888889 + q * 0.0000248016)));
  let s = a * (1.0 + q * (-0.16666667 + q * (0.0083333333 + q * (-0.00019841270 + q * 0.0000027557))));
  let quarter = u32(turns) & 3u;
  let swapped = select(vec2f(c, s), vec2f(-s, c), (quarter & 1u) == 1u);
  return select(swapped, -swapped, quarter >= 2u);
}
fn values(u: vec4f) -> vec4f { return vec4f(radius(u.x) * direction(u.y), radius(u.z) * direction(u.w)); }
`

/** Idea: one invocation a block of four words; it stores a vector, or single elements where the size is no multiple of 4. */
function kernel(name: string, { outputs }: Problem<RandomAttrs>, target: Target, values: string): Kernel {
  const out = outputs[0] as Spec
  const n = sizeOf(out.shape)
  const wide = n % 4 === 0
  return assemble({
    label: `${name}/${out.dtype}/${wide ? 'vec4' : 'scalar'}`,
    dtype: out.dtype,
    params: { n, blocks: Math.ceil(n / 4) },
    storage: [bind(0, 'state', 'vec4u'), output(0, 'out', wide ? 'vec4<Scalar>' : 'Scalar')],
    body: /* wgsl */ `${philoxWgsl}${values}
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let s = state[0];
  for (var b = id.x; b < P.blocks; b += groups.x * WG) {
    let block = b + s.w;
    let words = philox(vec4u(block, select(0u, 1u, block < b), s.z, 0u), s.xy);
    let v = vec4<Scalar>(values(vec4f(words >> vec4u(8u)) * 0x1p-24));
    ${wide ? 'out[b] = v;' : 'for (var j = 0u; j < min(4u, P.n - 4u * b); j++) { out[4u * b + j] = v[j]; }'}
  }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(n / 256), target), 1, 1],
    epilogue: null,
  })
}

function reference(inputs: readonly Ref[], shape: readonly number[], dtype: DType, values: (u: readonly number[]) => readonly number[]): Ref {
  const [low = 0, high = 0, stream = 0, offset = 0] = input('philox', inputs, 0).data
  const out = refZeros(shape, dtype)
  for (let start = 0; start < out.data.length; start += 4) {
    const block = start / 4 + offset
    const words = philoxBlock([block >>> 0, Math.floor(block / 2 ** 32), stream, 0], [low, high])
    const four = values(words.map((w) => (w >>> 8) * 2 ** -24))
    for (let j = 0; j < 4 && start + j < out.data.length; j++) out.data[start + j] = four[j] ?? 0
  }
  return out
}

/**
 * Uniform numbers in [0, 1), multiples of 2^-24 (f16 rounds them, so that 1 is possible there).
 * Input: u32 `[4]` = seed low, seed high, stream, offset in blocks of four elements. Output: `shape`.
 * Equal in every f32 bit to core's `philoxUniform` with the same seed and stream and offset 0.
 * @throws {ShapeError} unless the state is `[4]` @throws {DTypeError} unless it is u32 and the output f32 or f16
 */
export const philoxUniform: Op<RandomAttrs> = {
  name: 'philoxUniform',
  infer: (inputs, attrs) => infer('philoxUniform', inputs, attrs),
  kernels: (problem, target) => [kernel('philoxUniform', problem, target, uniformWgsl)],
  reference: (inputs, { shape, dtype = 'f32' }) => [reference(inputs, shape, dtype, (u) => u)],
}

/**
 * Standard normal numbers by Box–Muller on the uniforms (u0, u1) and (u2, u3) of each block:
 * r = √(−2 ln(1 − u0)), θ = 2π·u1, elements r cos θ and r sin θ; |z| ≤ 5.77. State and output as {@link philoxUniform}.
 * @throws {ShapeError} unless the state is `[4]` @throws {DTypeError} unless it is u32 and the output f32 or f16
 */
export const philoxNormal: Op<RandomAttrs> = {
  name: 'philoxNormal',
  infer: (inputs, attrs) => infer('philoxNormal', inputs, attrs),
  kernels: (problem, target) => [kernel('philoxNormal', problem, target, normalWgsl)],
  reference: (inputs, { shape, dtype = 'f32' }) => [reference(inputs, shape, dtype, ([a = 0, b = 0, c = 0, d = 0]) => {
    const [r, s] = [radius(a), radius(c)]
    return [r * Math.cos(2 * Math.PI * b), r * Math.sin(2 * Math.PI * b), s * Math.cos(2 * Math.PI * d), s * Math.sin(2 * Math.PI * d)]
  })],
}

const radius = (u: number): number => Math.sqrt(-2 * Math.log1p(-u))
