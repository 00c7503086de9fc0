import { type Arg, at, type Binding, isContiguous, sameShape, type Spec } from '@antipode/kernels-wgsl'
import type { Passes } from './plan.ts'
import type { PlanBuffer, Program } from './program.ts'
import type { Operand, Resolved, ValueId } from './resolved.ts'
import type { Expression, KernelWork, Work } from './work.ts'
import type { LoweredGraph } from './lower.ts'

/** What each pass makes of a graph, as text: values as %0, buffers as @0. */
export function printPasses({ resolved, work, lowered, program }: Passes): string {
  return [
    ['resolve', ...stepsText(resolved)],
    ['fuse', ...work.map((w) => workText(w, (v) => at(resolved.values, v).spec))],
    ['lower', ...lowered.list.map((one) => loweredText(one, lowered))],
    ['alias', ...programText(program)],
  ].map(([title = '', ...lines]) => [title, ...lines.map((l) => `  ${l}`)].join('\n')).join('\n')
}

function specText({ dtype, shape }: Spec): string {
  return `${dtype}[${shape.join()}]`
}

function operandText({ value, view: { shape, strides, offset } }: Operand, spec: Spec): string {
  const from = offset === 0 ? '' : `+${offset}`
  if (!isContiguous({ shape, strides })) return `%${value}${from}[${shape.join()} by ${strides.join()}]`
  return sameShape(shape, spec.shape) ? `%${value}${from}` : `%${value}${from}[${shape.join()}]`
}

function definition(value: ValueId, spec: Spec): string {
  return `%${value}: ${specText(spec)}`
}

function stepsText({ values, steps, outputs, overwritten }: Resolved): string[] {
  const operand = (x: Operand): string => operandText(x, at(values, x.value).spec)
  const defined = (v: ValueId): string => definition(v, at(values, v).spec)
  const external = values.flatMap(({ source }, id) =>
    (source.kind === 'computed' ? [] : [`${defined(id)} = ${source.kind} ${source.index}`]))
  const computed = steps.map((s) => {
    if (s.kind === 'wait') return `wait for %${s.value}`
    if (s.kind === 'copy') return `${defined(s.output)} = copy(${operand(s.input)})`
    const overwrites = s.overwrites.flatMap((leaf) => (leaf === undefined ? [] : [` over leaf ${leaf}`])).join()
    return `${s.outputs.map(defined).join(', ')} = ${s.op.name}(${s.inputs.map(operand).join(', ')})${overwrites}`
  })
  const changed = overwritten.length > 0 ? [`overwritten: leaf ${overwritten.join(', ')}`] : []
  return [...external, ...computed, `outputs: ${outputs.map(operand).join(', ')}`, ...changed]
}

/** An expression as a formula; `v` is what the kernel before it gives. */
function expressionText({ steps, inputs, scalars }: Expression, specOf: (value: ValueId) => Spec): string {
  const argText = (a: Arg): string => {
    if (a.kind === 'value') return 'v'
    if (a.kind === 'scalar') return `scalar ${at(scalars, a.index).index}`
    if (a.kind === 'input') return operandText(at(inputs, a.index), specOf(at(inputs, a.index).value))
    const { op, args, dtype } = at(steps, a.index)
    return `${op?.name ?? dtype}(${args.map(argText).join(', ')})`
  }
  if (steps.length === 0) return `copy(${argText({ kind: 'input', index: 0 })})`
  return argText({ kind: 'step', index: steps.length - 1 })
}

function workText(w: Work, specOf: (value: ValueId) => Spec): string {
  const operand = (x: Operand): string => operandText(x, specOf(x.value))
  if (w.kind === 'result') return `result ${operand(w.operand)}`
  if (w.kind === 'elementwise') return `%${w.output} = ${expressionText(w.expression, specOf)}`
  const { op, inputs, outputs, epilogue } = w
  const read = inputs.map((x, k) => (k === w.handOver?.operand ? `${operand(x)} packed` : operand(x)))
  const kernel = `${op.name}(${read.join(', ')})`
  const written = outputs.map((v, k) => (k === 0 && epilogue ? `%${epilogue.output}` : `%${v}`) + packedText(w, k))
  const results = written.join(', ')
  return `${results} = ${epilogue ? `${expressionText(epilogue.expression, specOf)} of v = ${kernel}` : kernel}`
}

function packedText({ packedOutput }: KernelWork, output: number): string {
  return output === 0 && packedOutput !== undefined ? ' packed' : ''
}

function loweredText(one: LoweredGraph['list'][number], { values }: LoweredGraph): string {
  const specOf = (v: ValueId): Spec => at(values, v).spec
  if (one.kind === 'same') return `%${one.value} is %${one.as}`
  if (one.kind === 'result') return `result ${operandText(one.operand, specOf(one.operand.value))}`
  const inputs = one.inputs.map(({ value, view }) => (view ? operandText({ value, view }, specOf(value)) : `%${value}`))
  const extras = one.extras.length > 0 ? `; ${one.extras.map((v) => `%${v}`).join(', ')}` : ''
  const labels = one.kernels.map((k) => k.label).join(', ')
  return `${one.outputs.map((v) => definition(v, specOf(v))).join(', ')} = ${labels} (${inputs.join(', ')}${extras})`
}

function programText({ buffers, dispatches, outputs }: Program): string[] {
  const bound = new Set([...dispatches.flatMap((d) => d.buffers), ...outputs])
  return [
    ...buffers.flatMap((b, id) => (bound.has(id) ? [`@${id}: ${bufferText(b)}`] : [])),
    ...dispatches.map(({ kernel, buffers: ids }) => {
      const text = ids.map((id, k) => (isWritten(at(kernel.bindings, k)) ? `>@${id}` : `@${id}`))
      return `${kernel.label} ${text.join(' ')}`
    }),
    `outputs: ${outputs.map((id) => `@${id}`).join(', ')}`,
  ]
}

function isWritten(b: Binding): boolean {
  return b.kind === 'output' || b.kind === 'scratch' || (b.kind === 'texture' && b.access === 'write')
}

function bufferText(b: PlanBuffer): string {
  if (b.kind === 'part') return `${b.bytes} bytes of @${b.of} from ${b.offset}`
  const kept = b.kind === 'texture' && b.keep !== undefined ? `, kept while leaf ${b.keep} stays` : ''
  if (b.kind === 'texture') return `texture of ${b.rows} rows${kept}`
  return b.kind === 'made' ? `${b.bytes} bytes` : `${b.kind} ${b.index}, ${b.bytes} bytes`
}
