import { type Attrs, type DType, type Kernel, type Op, type RefTensor, type Spec, type Target } from '../op.ts'
import { lower } from '../lower.ts'
import { sizeOf } from '../shape.ts'
import { tuningTable } from '../tuning.ts'
import { decode, encode } from './elements.ts'

/** An input of a test case: a shape, or a shape with its dtype or values. */
export type CaseInput =
  | readonly number[]
  | { readonly shape: readonly number[]; readonly dtype?: DType; readonly values?: (i: number) => number }

/** One problem on which an op is tested. */
export interface OpCase<A extends Attrs> {
  readonly name?: string
  readonly inputs: readonly CaseInput[]
  readonly attrs: A
  /** Range of the random values, [-1, 1] unless said; keep away from poles and kinks. */
  readonly range?: readonly [number, number]
  /** Whether to compare the gradient with central differences; by default where the case is small. */
  readonly gradient?: boolean
  /** Whether SwiftShader takes minutes for it, where lavapipe takes seconds: then browsers skip it. */
  readonly slow?: boolean
}

/** Numbers in [lo, hi) that look random and are the same every run. */
export function noise(n: number, seed: number, [lo, hi]: readonly [number, number] = [-1, 1]): Float64Array {
  let s = (seed * 2654435761 + 12345) >>> 0
  return Float64Array.from({ length: n }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0
    return lo + (hi - lo) * (s / 2 ** 32)
  })
}

/** The inputs' shapes and dtypes, real ones in the dtype that is tested. */
export function specsOf<A extends Attrs>(c: OpCase<A>, float: DType): Spec[] {
  return c.inputs.map((given) => ('shape' in given ? { shape: given.shape, dtype: given.dtype ?? float } : { shape: given, dtype: float }))
}

/** The inputs of a case, their values as the dtype holds them. */
export function makeInputs<A extends Attrs>(c: OpCase<A>, float: DType): RefTensor[] {
  return specsOf(c, float).map(({ shape, dtype }, k) => {
    const given = c.inputs[k]
    // Arrays have a method of that name.
    const values = given && 'shape' in given ? given.values : undefined
    const n = sizeOf(shape)
    const data = values ? Float64Array.from({ length: n }, (_, i) => values(i)) : noise(n, k + 1, c.range)
    return { shape, dtype, data: decode(encode(data, dtype).buffer, dtype, n) }
  })
}

/** The kernels of one variant of an op on a problem. */
export interface Variant {
  readonly kernels: readonly Kernel[]
  /** Whether the adapter at hand runs it, only compiles it, or only reads and checks its text: see `useOf`. */
  readonly use: 'run' | 'compile' | 'read'
}

/**
 * Of longer texts that are not for it lavapipe runs the first of each form, if it is not too long, and only compiles the
 * others, which differ from it by the number of registers: it takes a second for some thousand characters, and for heads of
 * 160 a minute, to make machine code of one. Its own long texts in f16 it only compiles, and those of others it only reads,
 * where they differ from f32 by their type alone. SwiftShader, which takes ten seconds to compile a large tile, only reads
 * what is not for it, since lavapipe runs that. A GPU runs everything.
 */
const longText = { own: 10_000, foreign: 7000, first: 12_000 }
const firstOfForm = new Map<string, string>()

/** Whether a variant is the first long one of its op and form, which the end of a label names. */
function isFirst(op: string, key: string, kernels: readonly Kernel[]): boolean {
  const form = [op, ...kernels.map((k) => k.label.split('/').at(-1))].join()
  if (!firstOfForm.has(form)) firstOfForm.set(form, key)
  return firstOfForm.get(form) === key
}

const single = (s: Spec): Spec => (s.dtype === 'f16' ? { ...s, dtype: 'f32' } : s)
const withoutType = (k: Kernel): string => k.wgsl.replace('enable f16;\n', '').replaceAll('f16', 'f32')

/** The variants this adapter can run, in text or in number of workgroups: its own, without textures, for GPUs, without subgroups. */
export function variants<A extends Attrs>(op: Op<A>, inputs: readonly Spec[], outputs: readonly Spec[], attrs: A, target: Target): Variant[] {
  const found = new Map<string, Variant>()
  // Written out sixteen times an inner loop takes llvmpipe seconds to compile.
  const gpu = { ...target, kind: 'gpu', textureRows: 0, tuning: { ...tuningTable.gpu, ...(target.kind === 'gpu' ? {} : { unroll: 1 }) } } as const
  // Large tiles, as of products that fill a GPU.
  const full = { ...gpu, matrices: false, tuning: { ...gpu.tuning, busy: 2 } }
  const runsElsewhere = target.tuning.adapter === 'software'
  for (const t of [target, { ...target, textureRows: 0 }, gpu, { ...gpu, subgroupSize: 0, matrices: false }, full]) {
    const kernels = lower(op, { inputs, outputs, attrs }, t)
    const key = kernels.map((k) => k.wgsl + JSON.stringify([k.constants, k.workgroups])).join()
    const half = [...inputs, ...outputs].some((s) => s.dtype === 'f16')
    const likeSingle = (): boolean => {
      if (!half) return false
      const others = lower(op, { inputs: inputs.map(single), outputs: outputs.map(single), attrs }, t)
      return others.length === kernels.length && kernels.every((k, i) => withoutType(k) === withoutType(others[i] as Kernel))
    }
    const longest = Math.max(...kernels.map((k) => k.wgsl.length))
    const useOf = (): Variant['use'] => {
      if (target.kind === 'gpu') return 'run'
      if (t === target) return longest > longText.own && likeSingle() ? 'compile' : 'run'
      if (runsElsewhere || likeSingle()) return 'read'
      return longest > longText.foreign && !(longest <= longText.first && isFirst(op.name, key, kernels)) ? 'compile' : 'run'
    }
    if (!found.has(key)) found.set(key, { kernels, use: useOf() })
  }
  return [...found.values()]
}
