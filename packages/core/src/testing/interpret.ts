import type { Ref } from '@antipode/kernels-wgsl'
import { DisposedError } from '../errors.ts'
import type { Node, Tensor } from '../graph/index.ts'
import { decodeElements } from '../io/index.ts'
import { checkOptions, flag } from '../options/index.ts'
import { FakeHost } from './fake-host.ts'

/**
 * Computes tensors in float64 by each op's reference, with no GPU: the truth that gradients and kernels are held against.
 * Leaves are read from `leaves`, or else from the {@link FakeHost} they were uploaded to. Real numbers are never rounded,
 * so an f16 graph gives what it would give with endless precision; unless `rounded`, which rounds the values of f32 tensors to f32:
 * where the two differ, an answer depends on rounding.
 *
 * @throws {DisposedError} if a leaf has no value @throws {ConfigError} if an option is none
 */
export function interpret(
  tensors: readonly Tensor[],
  leaves: ReadonlyMap<Tensor, ArrayLike<number>> = new Map(),
  options: { readonly rounded?: boolean } = {},
): Float64Array[] {
  checkOptions('interpret', options, { rounded: flag })
  const values = new Map<Tensor, Ref>()
  const valueOf = (t: Tensor): Ref => {
    const known = values.get(t)
    if (known) return known
    const value: Ref = { shape: t.shape, dtype: t.dtype, data: Float64Array.from(leafData(t, leaves)) }
    values.set(t, value)
    return value
  }
  for (const node of nodesOf(tensors, leaves)) {
    const outputs = node.op.reference(node.inputs.map(valueOf), node.attrs)
    node.outputs.forEach((t, k) => {
      const output = outputs[k] as Ref
      values.set(t, options.rounded && t.dtype === 'f32' ? { ...output, data: output.data.map(Math.fround) } : output)
    })
  }
  return tensors.map((t) => valueOf(t).data)
}

/** What stored tensors hold, for {@link interpret}. */
export async function valuesOf(leaves: readonly Tensor[]): Promise<Map<Tensor, ArrayLike<number>>> {
  return new Map(await Promise.all(leaves.map(async (t) => [t, await t.data()] as const)))
}

function leafData(t: Tensor, leaves: ReadonlyMap<Tensor, ArrayLike<number>>): ArrayLike<number> {
  const given = leaves.get(t)
  if (given) return given
  const { source, device } = t
  if (source.kind === 'scalar') return [source.value]
  if (source.kind === 'constant') return decodeElements(source.bytes.slice().buffer as ArrayBuffer, t.dtype, t.size)
  if (source.kind === 'storage' && device instanceof FakeHost) return device.valuesOf(source.storage)
  throw new DisposedError(`interpret: expected a value for the leaf ${t.toString()}, got none; give it in leaves`)
}

/** Every node the tensors depend on, in the order of making, not looking behind tensors whose value is given. */
function nodesOf(tensors: readonly Tensor[], given: ReadonlyMap<Tensor, unknown>): Node[] {
  const found = new Set<Node>()
  const stack = [...tensors]
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (given.has(t) || t.source.kind !== 'node' || found.has(t.source.node)) continue
    found.add(t.source.node)
    stack.push(...t.source.node.inputs)
  }
  return [...found].sort((a, b) => a.order - b.order)
}
