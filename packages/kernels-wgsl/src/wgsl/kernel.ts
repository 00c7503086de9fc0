import { inBlocks } from '../block-types.ts'
import { DTypeError } from '../errors.ts'
import { type Binding, type DType, type Epilogue, type Kernel, textureWidth } from '../op.ts'
import { quotient } from './math.ts'

/** WGSL type that holds an element in a storage buffer; bf16 travels two to a u32 word. @throws {DTypeError} of types in blocks */
export function storageType(dtype: DType): 'f32' | 'f16' | 'i32' | 'u32' {
  if (inBlocks(dtype)) throw new DTypeError(`kernels: expected numbers, got ${dtype}, which is only uploaded; load the weights first`)
  return dtype === 'bf16' ? 'u32' : dtype
}

/** A storage buffer or texture of a kernel: its WGSL name and element type, and what is bound there. */
export interface Storage {
  readonly name: string
  readonly type: string
  readonly binding: Binding
}

/** An input buffer. */
export function input(index: number, name: string, type = 'Scalar'): Storage {
  return { name, type, binding: { kind: 'input', index } }
}

/** An output buffer. */
export function output(index: number, name: string, type = 'Scalar'): Storage {
  return { name, type, binding: { kind: 'output', index } }
}

/** A buffer that lives for one op, shared by its kernels by index. */
export function scratch(index: number, byteLength: number, name: string, type = 'f32'): Storage {
  return { name, type, binding: { kind: 'scratch', index, byteLength } }
}

/** A texture of `texels` four-vectors that lives for one op, shared by its kernels by index; texel i stands at `at(i)`. */
export function texture(index: number, texels: number, name: string, access: 'read' | 'write'): Storage {
  return { name, type: 'vec4f', binding: { kind: 'texture', index, rows: Math.ceil(texels / textureWidth), access } }
}

/** Where texel i of a texture stands. */
const texelAt = `fn at(i: u32) -> vec2u { return vec2u(i % ${textureWidth}u, i / ${textureWidth}u); }\n`

/** Text repeated, each time by its number. */
export function repeat(n: number, f: (i: number) => string, between = '\n'): string {
  return Array.from({ length: n }, (_, i) => f(i)).join(between)
}

/**
 * Statements of a loop body that set `name` to the i-th of the variables `name0`, `name1`…, `i` being the loop's counter. A store
 * loop picks so and has one store site: llvmpipe compiles it four times faster than a loop over a copy of them in an array
 * (130 against 630 ms for sixteen), and faster still than a site a variable.
 */
export function pick(name: string, count: number): string {
  return `switch (i) { ${repeat(count - 1, (i) => `case ${i}u: { ${name} = ${name}${i}; }`, ' ')} default: { ${name} = ${name}${count - 1}; } }`
}

/** The parts of a kernel, from which {@link assemble} makes its text and bindings. */
export interface Parts {
  readonly label: string
  /** Element type, `Scalar` in the text. */
  readonly dtype: DType
  readonly subgroups?: boolean
  /** Whether the text multiplies subgroup matrices of f16. */
  readonly matrices?: boolean
  /** Uniform fields by name, u32; a name may carry its type, as `'scale: f32'` with the value's bits. An array comes first. */
  readonly params: Readonly<Record<string, number | readonly number[]>>
  readonly storage: readonly Storage[]
  readonly body: string
  readonly constants?: Readonly<Record<string, number>>
  readonly workgroups: readonly [number, number, number]
  /** The fused expression of output 0. With `null` the text has no `epilogue` function at all. */
  readonly epilogue: Epilogue | undefined | null
}

const identityEpilogue = 'fn epilogue(v: f32, i: u32) -> f32 { return v; }\n'

/**
 * Makes a kernel: extensions, `alias Scalar` and `alias Acc`, the `Params` block `P`, the buffers, the epilogue, the body.
 * Words of a fused epilogue follow the kernel's own, as `P.w` (shape words) and `P.s` (scalars), 16 bytes aligned.
 */
export function assemble(parts: Parts): Kernel {
  const { epilogue, storage } = parts
  const f16 = parts.dtype === 'f16' || epilogue?.f16 === true || parts.matrices === true
  const fields = Object.keys(parts.params).map((f) => (f.includes(':') ? f : `${f}: u32`))
  const words = Object.values(parts.params).flat()
  let scalarWord: number | undefined
  if (epilogue) {
    while (words.length % 4) {
      fields.push(`pad${words.length}: u32`)
      words.push(0)
    }
    fields.push(`w: array<vec4u, ${Math.max(1, Math.ceil(epilogue.params.length / 4))}>`)
    words.push(...padded(epilogue.params))
    fields.push(`s: array<vec4u, ${Math.max(1, Math.ceil(epilogue.scalars / 4))}>`)
    scalarWord = words.length
    words.push(...padded(new Array<number>(epilogue.scalars).fill(0)))
  }
  const text = (epilogue === null ? '' : epilogue ? epilogue.wgsl(storage.length + 1) : identityEpilogue) + parts.body
  const wgsl = [
    f16 ? 'enable f16;\n' : '',
    parts.subgroups ? 'enable subgroups;\n' : '',
    // The analysis of uniformity refuses any subgroup matrix behind a loop over a uniform number.
    parts.matrices ? 'enable chromium_experimental_subgroup_matrix;\ndiagnostic(off, chromium.subgroup_matrix_uniformity);\n' : '',
    `alias Scalar = ${storageType(parts.dtype)};\nalias Acc = f32;\n`,
    `struct Params { ${fields.join(', ')} }\n@group(0) @binding(0) var<uniform> P: Params;\n`,
    ...storage.map(({ name, type, binding }, i) => `@group(0) @binding(${i + 1}) ${binding.kind === 'texture'
      ? `var ${name}: texture_storage_2d<rgba32float, ${binding.access}>`
      : `var<storage, ${binding.kind === 'input' ? 'read' : 'read_write'}> ${name}: array<${type}>`};\n`),
    storage.some(({ binding }) => binding.kind === 'texture') ? texelAt : '',
    text.includes('quotient(') ? quotient : '',
    text,
  ].join('')
  return {
    label: epilogue ? `${parts.label}+${epilogue.key}` : parts.label,
    wgsl,
    bindings: [
      ...storage.map((s) => s.binding),
      ...Array.from({ length: epilogue?.extras ?? 0 }, (_, index) => ({ kind: 'extra', index }) as const),
    ],
    params: words,
    workgroups: parts.workgroups,
    ...(parts.constants ? { constants: parts.constants } : {}),
    ...(scalarWord === undefined ? {} : { scalarWord }),
  }
}

function padded(words: readonly number[]): number[] {
  const out = words.slice()
  while (out.length === 0 || out.length % 4) out.push(0)
  return out
}
