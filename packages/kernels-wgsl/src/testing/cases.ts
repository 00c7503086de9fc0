import { type Attrs, type DType, type Kernel, type Op, type Ref, type Spec, type Target } from '../op.ts'
import { sizeOf } from '../shape.ts'
import { variantTable } from '../variants.ts'
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
export function makeInputs<A extends Attrs>(c: OpCase<A>, float: DType): Ref[] {
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
  /** Whether the adapter at hand is only to compile it: see `longText`. */
  readonly compileOnly: boolean
}

/**
 * Longer texts are only compiled on software adapters that they are not for, and in f16 where they are for it: llvmpipe takes a
 * second for some thousand characters, and for heads of 160 a minute, to make machine code of one. They differ from those that run
 * by the number of registers, or by the type that they load and store, and a GPU runs them all. In f16, where the text that differs by
 * its type alone has run, less is long.
 */
const longText = { own: Infinity, ownHalf: 10_000, foreign: 10_000, foreignHalf: 4000 }

/** The variants this adapter can run, in text or in number of workgroups: its own, without textures, for GPUs, without subgroups. */
export function variants<A extends Attrs>(op: Op<A>, inputs: readonly Spec[], outputs: readonly Spec[], attrs: A, target: Target): Variant[] {
  const found = new Map<string, Variant>()
  // Written out sixteen times an inner loop takes llvmpipe seconds to compile.
  const gpu = { ...target, kind: 'gpu', textureRows: 0, variants: { ...variantTable.gpu, ...(target.kind === 'gpu' ? {} : { unroll: 1 }) } } as const
  // Large tiles, as of products that fill a GPU.
  const full = { ...gpu, matrices: false, variants: { ...gpu.variants, busy: 2 } }
  for (const t of [target, { ...target, textureRows: 0 }, gpu, { ...gpu, subgroupSize: 0, matrices: false }, full]) {
    const kernels = op.kernels?.({ inputs, outputs, attrs }, t) ?? []
    const key = kernels.map((k) => k.wgsl + JSON.stringify([k.constants, k.workgroups])).join()
    const long = longText[`${t === target ? 'own' : 'foreign'}${inputs[0]?.dtype === 'f16' ? 'Half' : ''}`]
    const compileOnly = target.kind === 'software' && kernels.some((k) => k.wgsl.length > long)
    if (!found.has(key)) found.set(key, { kernels, compileOnly })
  }
  return [...found.values()]
}
