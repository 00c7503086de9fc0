import { describe, expect, test } from 'vitest'
import { makeApplyOp } from '../elementwise/index.ts'
import { type Attrs, type ApplyOp, isFloat, type Op, type RefTensor, type Spec } from '../op.ts'
import { shapeText, sizeOf } from '../shape.ts'
import { makeInputs, noise, type OpCase, specsOf, variants } from './cases.ts'
import { encode } from './elements.ts'
import { compileKernels, readKernels, runKernels } from './run-kernels.ts'
import { type Specials, testSpecials } from './specials.ts'

/** How an op is tested. */
export interface OpTest<A extends Attrs> {
  readonly cases: readonly OpCase<A>[]
  /** Largest error relative to the largest reference value; defaults f32 1e-5, f16 5e-3. */
  readonly tolerance?: { readonly f32?: number; readonly f16?: number }
  /** Calls that must throw, with the error's class. */
  readonly errors?: readonly { readonly name: string; readonly inputs: readonly Spec[]; readonly attrs: A; readonly error: new (m: string) => Error }[]
  /** Whether outputs must agree in every bit, as for integers and copies. */
  readonly exact?: boolean
  /** The outputs through which gradients flow; every real one unless said. With none the gradient is not compared. */
  readonly differentiable?: readonly number[]
  /** The inputs that get no gradient although outputs depend on them. */
  readonly constants?: readonly number[]
  /** How the op meets NaN, infinities and the ends of the dtypes: by itself as its reference does, with what is said here. */
  readonly specials?: Specials<A>
}

/** Float64 call on references: how a gradient rule runs in tests. */
export const refCall: ApplyOp<RefTensor> = makeApplyOp<RefTensor>({
  apply: (op, inputs, attrs) => {
    op.infer(inputs, attrs)
    return op.reference(inputs, attrs)
  },
  spec: (t) => t,
  scalar: (value, dtype) => ({ shape: [], dtype, data: Float64Array.of(value) }),
})

function elementsOf(specs: readonly Spec[]): number {
  return specs.reduce((n, s) => n + sizeOf(s.shape), 0)
}

/**
 * Registers every test an op needs. Everywhere: shapes as inferred, gradient equal to central differences of the
 * float64 reference, typed errors. With a GPU (`globalThis.kernelTestHost`): each variant of the kernels equals the
 * reference, in f32 and, where the adapter has it, f16.
 */
export function testOp<A extends Attrs>(op: Op<A>, { cases, tolerance = {}, errors = [], exact = false, specials = {}, ...flow }: OpTest<A>): void {
  const title = (c: OpCase<A>): string => `${c.name ?? c.inputs.map((i) => shapeText('shape' in i ? i.shape : i)).join(' ')} ${JSON.stringify(c.attrs)}`
  describe(op.name, () => {
    for (const c of cases) {
      const elements = elementsOf(specsOf(c, 'f32'))
      const small = elements <= 4000
      // Float64 loops over millions of elements belong to the GPU run that needs them.
      const large = elements + elementsOf(op.infer(specsOf(c, 'f32'), c.attrs)) > 100_000
      if (!globalThis.kernelTestHost && !large) {
        test(`reference has the inferred shapes: ${title(c)}`, () => {
          const inputs = makeInputs(c, 'f32')
          const outputs = op.reference(inputs, c.attrs)
          expect(outputs.map((o) => ({ shape: o.shape, size: o.data.length, dtype: o.dtype })))
            .toEqual(op.infer(inputs, c.attrs).map((s) => ({ shape: s.shape, size: sizeOf(s.shape), dtype: s.dtype })))
        })
        if (op.vjp && flow.differentiable?.length !== 0 && (c.gradient ?? small)) {
          test(`gradient equals central differences: ${title(c)}`, () => { checkGradient(op, makeInputs(c, 'f32'), c.attrs, flow) })
        }
      }
      if (globalThis.kernelTestHost && op.kernels) {
        for (const dtype of ['f32', 'f16'] as const) {
          const usesFloat = specsOf(c, 'f16').some((i) => i.dtype === 'f16')
          if (dtype === 'f16' && !usesFloat) continue
          // An attribute may ask for f16 outputs of other inputs.
          const half = [...specsOf(c, dtype), ...op.infer(specsOf(c, dtype), c.attrs)].some((o) => o.dtype === 'f16')
          const limit = exact ? 0 : half ? tolerance.f16 ?? 5e-3 : tolerance.f32 ?? 1e-5
          const tooSlow = c.slow === true && /swiftshader/i.test(globalThis.kernelTestHost.name)
          test.skipIf(tooSlow || half && !globalThis.kernelTestHost.target.f16)(
            `${dtype} kernels equal the reference on ${globalThis.kernelTestHost.name}: ${title(c)}`,
            async () => { await checkKernels(op, makeInputs(c, dtype), c.attrs, limit) },
          )
        }
      }
    }
    testSpecials(op, cases, tolerance, specials)
    for (const e of globalThis.kernelTestHost ? [] : errors) {
      test(`throws ${e.error.name}: ${e.name}`, () => { expect(() => op.infer(e.inputs, e.attrs)).toThrow(e.error) })
    }
    if (globalThis.kernelTestHost && !op.kernels) test('is a view and has no kernel', () => { expect(op.view).toBeDefined() })
  })
}

/** Compares `vjp` with central differences (h = 1e-5) of Σ cotangent · output at up to twelve elements of each input. */
export function checkGradient<A extends Attrs>(
  op: Op<A>,
  inputs: readonly RefTensor[],
  attrs: A,
  { differentiable, constants }: Pick<OpTest<A>, 'differentiable' | 'constants'> = {},
): void {
  const outputs = op.reference(inputs, attrs)
  const grads = outputs.map((o, k) => (isFloat(o.dtype) && (differentiable?.includes(k) ?? true) ? { ...o, data: noise(o.data.length, 97 + k) } : undefined))
  const needs = inputs.map((i, k) => isFloat(i.dtype) && !constants?.includes(k))
  const analytic = op.vjp?.(refCall, { inputs, outputs, grads, attrs, needs }) ?? []
  const objective = (moved: readonly RefTensor[]): number => op.reference(moved, attrs).reduce((sum, o, k) => {
    const g = grads[k]
    return g ? sum + o.data.reduce((s, v, i) => s + v * (g.data[i] ?? 0), 0) : sum
  }, 0)
  const h = 1e-5
  let compared = 0
  inputs.forEach((x, k) => {
    if (!needs[k]) return
    // A rule that leaves an input out says that its gradient is zero.
    const d = analytic[k] ?? { ...x, data: new Float64Array(x.data.length) }
    expect(d.shape, `shape of the gradient of input ${k}`).toEqual(x.shape)
    const scale = Math.max(1, ...d.data.map(Math.abs))
    const stride = Math.max(1, Math.floor(x.data.length / 12))
    for (let i = 0; i < x.data.length; i += stride) {
      const at = (delta: number): number => {
        const data = x.data.slice()
        data[i] = (data[i] ?? 0) + delta
        return objective(inputs.map((y, j) => (j === k ? { ...y, data } : y)))
      }
      const numeric = (at(h) - at(-h)) / (2 * h)
      expect(Math.abs((d.data[i] ?? 0) - numeric) / scale, `input ${k}, element ${i}: ${d.data[i]} vs ${numeric}`).toBeLessThan(1e-6)
      compared++
    }
  })
  if (inputs.some((x, k) => needs[k] && x.data.length > 0)) expect(compared, 'elements compared').toBeGreaterThan(0)
}

async function checkKernels<A extends Attrs>(op: Op<A>, inputs: readonly RefTensor[], attrs: A, limit: number): Promise<void> {
  const host = globalThis.kernelTestHost
  if (!host) return
  const outputs = op.infer(inputs, attrs)
  const expected = op.reference(inputs, attrs)
  const given = inputs.map((spec) => ({ spec, data: spec.data, bytes: encode(spec.data, spec.dtype) }))
  for (const { kernels, use } of variants(op, inputs, outputs, attrs, host.target)) {
    if (use !== 'run') {
      await (use === 'compile' ? compileKernels : readKernels)(host, kernels)
      continue
    }
    const got = await runKernels(host, kernels, given, outputs, op.inplace)
    expected.forEach((e, k) => {
      // From here on a half is infinite.
      const end = outputs[k]?.dtype === 'f16' ? 65_520 : Infinity
      const { worst, where } = widestGap(got[k] ?? [], e.data, end)
      expect(worst, `${kernels[0]?.label}: output ${k} at ${where}: got ${got[k]?.[where]}, reference ${e.data[where]}`).toBeLessThanOrEqual(limit)
    })
  }
}

/**
 * The largest error relative to the largest finite number expected, and where it is. A plain loop: there may be millions.
 * @param end the dtype has no finite number of this size or more
 */
function widestGap(got: ArrayLike<number>, expected: Float64Array, end: number): { worst: number; where: number } {
  let scale = 1e-6
  for (let i = 0; i < expected.length; i++) {
    const size = Math.abs(expected[i] ?? 0)
    if (size > scale && size < end) scale = size
  }
  let worst = 0
  let where = 0
  for (let i = 0; i < expected.length; i++) {
    const exact = expected[i] ?? 0
    const v = Math.abs(exact) >= end ? Math.sign(exact) * Infinity : exact
    const g = got[i] ?? Number.NaN
    if (g === v || Object.is(g, v)) continue
    const error = Math.abs(g - v) / scale
    if (!(error <= worst)) { worst = error; where = i }
  }
  return { worst, where }
}
