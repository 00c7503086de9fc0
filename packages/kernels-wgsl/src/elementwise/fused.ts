import { at } from '../at.ts'
import { stridedGroups } from '../dispatch.ts'
import { type DType, type Epilogue, f32Bits, isFloat, type Kernel, type Op, type Spec, type Target } from '../op.ts'
import { sizeOf } from '../shape.ts'
import { assemble, input as bind, mathHelpers, output, quotientFits, storageType } from '../wgsl/index.ts'
import { collapse, type Layout } from './layout.ts'

/** An argument of a fused step: an input tensor, a run-time scalar, an earlier step, or the value an epilogue receives. */
export type Arg =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'scalar'; readonly index: number }
  | { readonly kind: 'step'; readonly index: number }
  | { readonly kind: 'value' }

/** One operation of a fused expression; `dtype` is its result's. A step without `op` converts its argument to `dtype`. */
export interface Step {
  readonly op: Op | undefined
  readonly args: readonly Arg[]
  readonly dtype: DType
}

/** An elementwise expression over strided inputs, the last step being its value. With no step it copies input 0. */
export interface Fused {
  readonly inputs: readonly { readonly dtype: DType; readonly view: { readonly strides: readonly number[]; readonly offset: number } }[]
  /** Element types of the run-time scalars. */
  readonly scalars: readonly DType[]
  readonly steps: readonly Step[]
  readonly output: Spec
}

/** One kernel for a whole elementwise expression; four elements an invocation where every operand's layout allows it. */
export function fusedKernel(f: Fused, target: Target): Kernel {
  const layout = collapse(f.output.shape, f.inputs.map((i) => i.view))
  const n = sizeOf(f.output.shape)
  const inner = layout.shape.at(-1) ?? 1
  const wide = n % 4 === 0 && inner % 4 === 0 && f.output.dtype !== 'bf16' && f.inputs.every((x, i) => {
    const strides = layout.strides[i] ?? []
    return x.dtype !== 'bf16' && (strides.at(-1) !== 1 || at(layout.offsets, i) % 4 === 0 && strides.slice(0, -1).every((s) => s % 4 === 0))
  })
  const width = wide ? 4 : 1
  const code = body([...loadsOf(f, layout, wide, 'in'), ...stepsOf(f)])
  const units = n / width
  return assemble({
    label: `fused/${wide ? 'vec4' : 'scalar'}/${key(f, layout)}`,
    dtype: f.output.dtype,
    params: { n: units },
    storage: [...f.inputs.map((x, i) => bind(i, `in${i}`, elementType(x.dtype, wide && layout.strides[i]?.at(-1) === 1))),
      output(0, 'out', elementType(f.output.dtype, wide))],
    body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var u = id.x; u < P.n; u += groups.x * WG) { let i = u * ${width}u; out[u] = ${wide ? `vec4<${storageType(f.output.dtype)}>` : storageType(f.output.dtype)}(value(i)); }
}
`,
    constants: { WG: 64 },
    workgroups: [stridedGroups(Math.ceil(units / 64), target), 1, 1],
    epilogue: {
      key: '',
      dtype: f.output.dtype,
      f16: usesF16(f),
      extras: 0,
      params: layoutWords(layout),
      scalars: f.scalars.length,
      wgsl: () => `${vectorAliases(wide)}${helpers(f)}fn value(i: u32) -> ${computeType(lastDType(f))} {\n${code}}\n`,
    },
  })
}

/**
 * The same expression as the last act of another kernel: `{ kind: 'value' }` is what that kernel computed. Inputs are
 * bound as `extra0`, `extra1`, …
 */
export function fusedEpilogue(f: Fused): Epilogue {
  const layout = collapse(f.output.shape, f.inputs.map((i) => i.view))
  const binding = (k: number, first: number, type: string): string => `@group(0) @binding(${first + k}) var<storage, read> extra${k}: array<${type}>;\n`
  return {
    key: key(f, layout),
    dtype: f.output.dtype,
    f16: usesF16(f),
    extras: f.inputs.length,
    params: layoutWords(layout),
    scalars: f.scalars.length,
    wgsl: (first) => f.inputs.map((x, k) => binding(k, first, storageType(x.dtype))).join('') +
      `${vectorAliases(false)}${helpers(f)}fn epilogue(v: f32, i: u32) -> f32 {\n${body([...loadsOf(f, layout, false, 'extra'), ...stepsOf(f)])}}\n`,
    // Elements of bf16 share words.
    ...(f.inputs.some((x) => x.dtype === 'bf16') ? {} : {
      quad: {
        shape: f.output.shape,
        views: f.inputs.map((x) => x.view),
        wgsl: (first, coalesced) => f.inputs.map((x, k) => binding(k, first, elementType(x.dtype, coalesced[k] === true))).join('') +
          `${vectorAliases(true)}${helpers(f)}fn epilogue(${['v: vec4f', ...f.inputs.map((_, k) => `i${k}: u32`)].join(', ')}) -> vec4f {\n${
            body([...f.inputs.map((x, k) => `let x${k} = ${computeType(x.dtype)}(${coalesced[k] ? `extra${k}[i${k}]` : `vec4(extra${k}[i${k}])`});`), ...stepsOf(f)])}}\n`,
      },
    }),
  }
}

const vectorAliases = (wide: boolean): string =>
  wide ? 'alias V = vec4f; alias VI = vec4i; alias VU = vec4u; alias VB = vec4<bool>;\n' : 'alias V = f32; alias VI = i32; alias VU = u32; alias VB = bool;\n'

const computeType = (dtype: DType): string => (dtype === 'i32' ? 'VI' : dtype === 'u32' ? 'VU' : 'V')
const elementType = (dtype: DType, wide: boolean): string => (wide ? `vec4<${storageType(dtype)}>` : storageType(dtype))
const lastDType = (f: Fused): DType => f.steps.at(-1)?.dtype ?? f.output.dtype
const usesF16 = (f: Fused): boolean => [f.output, ...f.inputs].some((x) => x.dtype === 'f16')

/** The functions that the steps call, and those that they call: each stands before its callers in the table. */
function helpers(f: Fused): string {
  const code = stepsOf(f).join()
  const texts: string[] = []
  for (const [name, text] of Object.entries(mathHelpers).reverse()) {
    if ([code, ...texts].some((t) => t.includes(`${name}(`))) texts.push(text)
  }
  return texts.reverse().join('')
}

/** Shape, strides and reciprocals as uniform words: one text serves every size of the same rank and pattern. */
function layoutWords(layout: Layout): number[] {
  return [...layout.shape, ...layout.strides.flat(), ...layout.offsets, ...layout.shape.map((size) => f32Bits(1 / size))]
}

/** Whether a flat index is taken apart, and by reciprocals. */
function quick({ shape, patterns }: Layout): boolean {
  const n = sizeOf(shape)
  return shape.length > 1 && patterns.includes('s') && shape.slice(1).every((_, k) => quotientFits(n / sizeOf(shape.slice(k + 2)), at(shape, k + 1)))
}

function key(f: Fused, layout: Layout): string {
  const arg = (a: Arg): string => (a.kind === 'value' ? 'v' : `${a.kind[0]}${a.index}`)
  const steps = f.steps.map((s) => `${s.op?.name ?? s.dtype}(${s.args.map(arg).join(',')})`).join(';') || 'copy'
  return `${steps}/${layout.shape.length}${quick(layout) || layout.shape.length === 1 ? '' : 'd'}/${layout.patterns.join('')}/${f.inputs.map((x) => x.dtype).join(',')}>${f.output.dtype}`
}

const body = (lines: readonly string[]): string => lines.filter(Boolean).map((l) => `  ${l}\n`).join('')

/** Statements that load the inputs at flat output index `i` as `x0`, `x1`… */
function loadsOf(f: Fused, layout: Layout, wide: boolean, prefix: string): string[] {
  const lines: string[] = []
  const rank = layout.shape.length
  const word = (k: number): string => `P.w[${k >> 2}][${k & 3}]`
  const strideWord = (inp: number, d: number): string => word(rank + inp * rank + d)
  const offsetWord = (inp: number): string => word(rank + f.inputs.length * rank + inp)
  if (layout.patterns.includes('s')) {
    lines.push(rank > 1 ? 'var rest = i;' : '')
    const inverse = rank + f.inputs.length * (rank + 1)
    for (let d = rank - 1; d > 0; d--) {
      const whole = quick(layout) ? `quotient(rest, ${word(d)}, bitcast<f32>(${word(inverse + d)}))` : `rest / ${word(d)}`
      lines.push(`let q${d} = ${whole}; let c${d} = rest - q${d} * ${word(d)}; rest = q${d};`)
    }
    lines.push(rank > 1 ? 'let c0 = rest;' : 'let c0 = i;')
  }
  f.inputs.forEach((x, k) => {
    const pattern = layout.patterns[k]
    const name = `${prefix}${k}`
    const index = pattern === 'f' ? `i + ${offsetWord(k)}`
      : pattern === 'c' ? offsetWord(k)
      : `${offsetWord(k)}${Array.from({ length: rank }, (_, d) => ` + c${d} * ${strideWord(k, d)}`).join('')}`
    const type = computeType(x.dtype)
    lines.push(`let o${k} = ${index};`)
    if (!wide) lines.push(x.dtype === 'bf16'
      ? `let x${k} = bitcast<f32>(select(${name}[o${k} / 2u] << 16u, ${name}[o${k} / 2u] & 0xffff0000u, (o${k} & 1u) == 1u));`
      : `let x${k} = ${type}(${name}[o${k}]);`)
    else if (layout.strides[k]?.at(-1) === 1) lines.push(`let x${k} = ${type}(${name}[o${k} / 4u]);`)
    else if (layout.strides[k]?.at(-1) === 0) lines.push(`let x${k} = ${type}(vec4(${name}[o${k}]));`)
    else {
      const s = strideWord(k, rank - 1)
      lines.push(`let x${k} = ${type}(vec4(${[0, 1, 2, 3].map((l) => `${name}[o${k} + ${l}u * ${s}]`).join(', ')}));`)
    }
  })
  return lines
}

/** The type in which an argument arrives. */
function dtypeOf(f: Fused, a: Arg | undefined): DType {
  switch (a?.kind) {
    case 'scalar': return f.scalars[a.index] ?? 'f32'
    case 'step': return f.steps[a.index]?.dtype ?? 'f32'
    case 'value': return 'f32'
    default: return f.inputs[a?.index ?? 0]?.dtype ?? 'f32'
  }
}

/** Statements that compute every step from the inputs and return the last. */
function stepsOf(f: Fused): string[] {
  const lines: string[] = []
  const scalar = (index: number): string => {
    const dtype = f.scalars[index] ?? 'f32'
    const type = isFloat(dtype) ? 'f32' : storageType(dtype)
    return `${computeType(dtype)}(bitcast<${type}>(P.s[${index >> 2}][${index & 3}]))`
  }
  const value = (a: Arg): string =>
    a.kind === 'input' ? `x${a.index}` : a.kind === 'step' ? `t${a.index}` : a.kind === 'value' ? 'v' : scalar(a.index)
  f.steps.forEach((s, k) => {
    const type = computeType(s.dtype)
    const args = s.args.map(value)
    // In a table line V stands for the type of the arguments.
    if (s.op?.pointwise) {
      const wgsl = (isFloat(s.dtype) ? undefined : s.op.pointwise.whole?.wgsl) ?? s.op.pointwise.wgsl
      lines.push(`let t${k} = ${wgsl(...args).replaceAll(/\bV\(/g, `${type}(`)};`)
    }
    // A value that passes through f16 is rounded to it, even where nothing is stored; compilers drop a mere conversion there
    // and back. What is stored last is rounded by the store, which keeps numbers too small for this function.
    else if (s.dtype === 'f16' && k < f.steps.length - 1) lines.push(`let t${k} = quantizeToF16(${type}(${args[0] ?? 'x0'}));`)
    // Of a NaN an adapter may make any integer.
    else if (!isFloat(s.dtype) && isFloat(dtypeOf(f, s.args[0]))) lines.push(`let t${k} = select(${type}(${args[0] ?? 'x0'}), ${type}(0), is_nan(${args[0] ?? 'x0'}));`)
    else lines.push(`let t${k} = ${type}(${args[0] ?? 'x0'});`)
  })
  lines.push(`return ${f.steps.length ? `t${f.steps.length - 1}` : 'x0'};`)
  return lines
}
