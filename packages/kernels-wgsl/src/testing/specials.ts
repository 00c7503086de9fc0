import { expect, test } from 'vitest'
import { type Attrs, type DType, isFloat, type Op, type RefTensor } from '../op.ts'
import { lower } from '../lower.ts'
import { sizeOf } from '../shape.ts'
import { makeInputs, type OpCase, specsOf, variants } from './cases.ts'
import { encode } from './elements.ts'
import { rounded, runKernels } from './run-kernels.ts'

/** Where an op answers otherwise than its float64 reference rounded to the dtype, and why. */
export interface Exception {
  readonly reason: string
  /** Whether it concerns these operands of an elementwise op or, of another op, this value planted in that input. */
  readonly when: (...args: number[]) => boolean
}

/** How an op is held to its reference at NaN, infinities, zeros and the ends of the dtypes. */
export interface Specials<A extends Attrs = Attrs> {
  /** Elementwise: largest error in f32 in units in the last place, perhaps by the operands, which go from 1e-30 to 1e30; 1 unless said, and in f16. */
  readonly ulp?: number | ((...args: number[]) => number) | undefined
  /** Others: where special values are planted, one at a time; the largest of the op's cases with 400 elements or less unless said. */
  readonly cases?: readonly OpCase<A>[]
  readonly exceptions?: readonly Exception[] | undefined
}

type Float = 'f32' | 'f16'

/** Largest finite and smallest normal number. */
const ends = { f32: [(2 - 2 ** -23) * 2 ** 127, 2 ** -126], f16: [65504, 2 ** -14] } as const
/** Digits of a significand, the implicit one aside, and the spacing of the smallest numbers. */
const digits = { f32: [23, 2 ** -149], f16: [10, 2 ** -24] } as const

/** NaN of either sign, ±∞, ±0, the ends of the dtype, and a few ordinary numbers. */
export function specialValues(dtype: Float): readonly number[] {
  const [largest, least] = ends[dtype]
  return [Number.NaN, Number.NaN, Infinity, -Infinity, 0, -0, largest, -largest, least, -least, 1, -1, 2.5, -3]
}
/** Which of the special values has a sign bit that JavaScript cannot keep: x86 makes its NaNs so. */
const negativeNaN = 1

/** Numbers of either sign from 1e-30 to 1e30, or as far as the dtype goes, `perDecade` to a factor of ten. */
function sweep(dtype: Float, perDecade: number): number[] {
  const decades = dtype === 'f32' ? 30 : 4
  const sizes = Array.from({ length: 2 * decades * perDecade + 1 }, (_, i) => rounded(10 ** (i / perDecade - decades), dtype))
  return sizes.flatMap((x) => [x, -x])
}

/** Operands of an elementwise op: all pairs of special values, and sweeps beside each other. Their number is odd. */
function grid(arity: number, dtype: Float): { operands: Float64Array[]; negative: number[][] } {
  const specials = specialValues(dtype).map((value, index) => ({ value, negative: index === negativeNaN }))
  const swept = sweep(dtype, arity === 1 ? 8 : 0.5).map((value) => ({ value, negative: false }))
  // A condition is 0 or not, and what is chosen passes through.
  const lists = arity === 3 ? [[specials, specials, specials.slice(8)]] : [specials, swept].map((list) => new Array<typeof list>(arity).fill(list))
  const tuples = lists.flatMap((of) => of.reduce<(typeof specials)[]>((rows, list) => rows.flatMap((row) => list.map((x) => [...row, x])), [[]]))
  if (tuples.length % 2 === 0) tuples.pop()
  return {
    operands: Array.from({ length: arity }, (_, k) => Float64Array.from(tuples, (t) => t[k]?.value ?? 0)),
    negative: Array.from({ length: arity }, (_, k) => tuples.flatMap((t, i) => (t[k]?.negative ? [i] : []))),
  }
}

/** Bits of the numbers, the NaNs of `negative` with their sign, as an input for {@link runKernels}. */
function bitsOf(data: Float64Array, dtype: Float, negative: readonly number[]): { spec: { shape: number[]; dtype: DType }; data: Uint32Array } {
  const bytes = encode(data, dtype)
  const width = dtype === 'f32' ? 4 : 2
  for (const i of negative) bytes[i * width + width - 1] = 0xff
  const words = new Uint32Array(bytes.buffer)
  return { spec: { shape: [words.length], dtype: 'u32' }, data: words }
}

/** Error in units in the last place of the dtype, infinite where one is NaN, infinite or a zero of another sign and one is not. */
function ulps(got: number, exact: number, dtype: Float): number {
  const want = rounded(exact, dtype)
  if (Object.is(got, want)) return 0
  const [, least] = ends.f32
  // Adapters may take numbers too small for f32's normal form for zeros.
  if (exact !== 0 && Math.abs(exact) < least && Math.abs(got) <= least) return 0
  if (!Number.isFinite(got) || !Number.isFinite(want) || exact === 0) return Infinity
  const [places, spacing] = digits[dtype]
  return Math.abs(got - exact) / Math.max(spacing, 2 ** (Math.floor(Math.log2(Math.abs(exact))) - places))
}

async function checkElementwise(op: Op, dtype: Float, { ulp = 1, exceptions = [] }: Pick<Specials, 'ulp' | 'exceptions'>): Promise<void> {
  const host = globalThis.kernelTestHost
  if (!host || !op.pointwise) return
  const bound = (...args: number[]): number => (dtype === 'f16' ? 1 : typeof ulp === 'number' ? ulp : ulp(...args))
  const { operands, negative } = grid(op.pointwise.arity, dtype)
  // The text for sizes that four divides is another one; unary ops have it from their other cases.
  for (const n of op.pointwise.arity === 1 ? [operands[0]?.length ?? 0, (operands[0]?.length ?? 0) & ~3] : [operands[0]?.length ?? 0]) {
    const inputs = operands.map((data): RefTensor => ({ shape: [n], dtype, data: data.subarray(0, n) }))
    const outputs = op.infer(inputs, {})
    const exact = op.reference(inputs, {})[0]?.data ?? []
    const kernels = lower(op, { inputs, outputs, attrs: {} }, host.target)
    const got = await runKernels(host, kernels, inputs.map((x, k) => bitsOf(x.data, dtype, (negative[k] ?? []).filter((i) => i < n))), outputs)
    const wrong = Array.from(exact, (e, i) => ({ args: inputs.map((x) => x.data[i] ?? 0), got: got[0]?.[i] ?? 0, exact: e, ulp: ulps(got[0]?.[i] ?? 0, e, dtype) }))
      .filter((r) => r.ulp > 0 && !(r.ulp <= bound(...r.args)) && !exceptions.some((e) => e.when(...r.args)))
    expect(wrong.slice(0, shown).map((r) => `${op.name}(${r.args.map(text).join(', ')}) = ${text(r.got)}, expected ${text(r.exact)}: ${r.ulp.toFixed(1)} ulp`), kernels[0]?.label).toEqual([])
  }
}

/** Wrong results that a failing test lists at most. */
const shown = 12

const text = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

/** One special value at a time in the middle of one input: the outputs must be NaN, infinite and finite where the reference is. */
async function checkPlanted<A extends Attrs>(op: Op<A>, c: OpCase<A>, dtype: Float, limit: number, exceptions: readonly Exception[]): Promise<void> {
  const host = globalThis.kernelTestHost
  if (!host) return
  const plain = makeInputs(c, dtype)
  const outputs = op.infer(plain, c.attrs)
  const [largest] = ends[dtype]
  for (const { kernels, use } of variants(op, plain, outputs, c.attrs, host.target)) {
    if (use !== 'run') continue
    for (const [k, x] of plain.entries()) {
      if (!isFloat(x.dtype) || x.data.length === 0) continue
      for (const value of [Number.NaN, Infinity, -Infinity, 0, largest, -largest]) {
        if (exceptions.some((e) => e.when(value, k))) continue
        const data = x.data.slice()
        data[data.length >> 1] = x.dtype === dtype ? value : rounded(value, x.dtype)
        const inputs = plain.map((y, j) => (j === k ? { ...y, data } : y))
        const want = op.reference(inputs, c.attrs)
        const got = await runKernels(host, kernels, inputs.map((spec) => ({ spec, data: spec.data })), outputs, op.inplace)
        want.forEach((e, o) => {
          const expected = Array.from(e.data, (v) => rounded(v, outputs[o]?.dtype ?? dtype))
          const scale = expected.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 1e-6)
          const wrong = expected.flatMap((v, i) => {
            const g = got[o]?.[i] ?? 0
            const right = Object.is(g, v) || g === v || Number.isFinite(g) && Number.isFinite(v) && Math.abs(g - v) / scale <= limit
            return right ? [] : [`${text(value)} in input ${k}: output ${o} at ${i} = ${text(g)}, expected ${text(v)}`]
          })
          expect(wrong.slice(0, shown), kernels[0]?.label).toEqual([])
        })
      }
    }
  }
}

/** Registers the tests of special values of an op, in f32 and f16. */
export function testSpecials<A extends Attrs>(
  op: Op<A>,
  cases: readonly OpCase<A>[],
  tolerance: { readonly f32?: number; readonly f16?: number },
  { ulp, cases: own, exceptions = [] }: Specials<A>,
): void {
  const host = globalThis.kernelTestHost
  if (!host || !op.kernels) return
  const size = (c: OpCase<A>): number => specsOf(c, 'f32').reduce((n, s) => n + sizeOf(s.shape), 0)
  const planted = own ?? cases.filter((c) => size(c) <= 400).sort((a, b) => size(b) - size(a)).slice(0, 1)
  for (const dtype of ['f32', 'f16'] as const) {
    if (op.pointwise) {
      test.skipIf(dtype === 'f16' && !host.target.f16)(`special values: ${dtype} kernels equal the reference on ${host.name}`, async () => {
        await checkElementwise(op as unknown as Op, dtype, { ulp, exceptions })
      })
      continue
    }
    for (const c of planted) {
      // In f32 whatever is real counts, in f16 only what is f16 by the choice of the test.
      const chosen = (float: Float): number => specsOf(c, float).filter((s) => (dtype === 'f32' ? isFloat(s.dtype) : s.dtype === 'f16')).length
      if (chosen(dtype) === (dtype === 'f32' ? 0 : chosen('f32'))) continue
      const half = [...specsOf(c, dtype), ...op.infer(specsOf(c, dtype), c.attrs)].some((s) => s.dtype === 'f16')
      test.skipIf(half && !host.target.f16)(`special values: ${dtype} kernels equal the reference on ${host.name}: ${c.name ?? JSON.stringify(c.attrs)}`, async () => {
        await checkPlanted(op, c, dtype, half ? tolerance.f16 ?? 5e-3 : tolerance.f32 ?? 1e-5, exceptions)
      })
    }
  }
}
