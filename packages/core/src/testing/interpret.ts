import { DisposedError } from '../errors.ts'
import type { Tensor } from '../graph/index.ts'
import { checkOptions, flag } from '../options/index.ts'
import { FakeHost } from './fake-host.ts'
import { constantData, referenceValues } from './reference-values.ts'

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
  return referenceValues(tensors, (t) => leaves.get(t), (t) => {
    const { source, device } = t
    const data = source.kind === 'storage' && device instanceof FakeHost ? device.valuesOf(source.storage) : constantData(t)
    if (data) return data
    throw new DisposedError(`interpret: expected a value for the leaf ${t.toString()}, got none; give it in leaves`)
  }, options)
}

/** What stored tensors hold, for {@link interpret}. */
export async function valuesOf(leaves: readonly Tensor[]): Promise<Map<Tensor, ArrayLike<number>>> {
  return new Map(await Promise.all(leaves.map(async (t) => [t, await t.data()] as const)))
}
