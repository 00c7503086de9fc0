import { ConfigError } from '../errors.ts'
import { identityOf, isPlain, primitiveText, Tensor } from '../graph/index.ts'

/** The tensors of a value, in order, and all else of it: equal keys mean values that differ in what their tensors hold only. */
export interface Flat {
  readonly tensors: readonly Tensor[]
  readonly key: string
}

/**
 * Takes the tensors out of a value: those in arrays, maps and plain objects are found. Numbers, texts and the like are told
 * by their value; functions and objects of classes by being the same.
 * @throws {ConfigError} if there is an array of numbers in binary form, which stays the same when its numbers change
 */
export function flatten(value: unknown): Flat {
  const tensors: Tensor[] = []
  const keyOf = (v: unknown): string => {
    if (v instanceof Tensor) {
      tensors.push(v)
      return `t${v.spec.key}@${identityOf(v.device)}`
    }
    if (typeof v === 'function') return `f${identityOf(v)}`
    if (typeof v !== 'object' || v === null) return primitiveText(v)
    if (ArrayBuffer.isView(v)) throw new ConfigError(`compile: expected numbers as tensors, got ${v.constructor.name}; pass tensor() or constant()`)
    if (Array.isArray(v)) return `[${v.map(keyOf).join()}]`
    if (v instanceof Map) return `m{${[...v].map(([k, x]) => `${keyOf(k)}:${keyOf(x)}`).join()}}`
    return isPlain(v) ? `{${Object.entries(v).map(([k, x]) => `${JSON.stringify(k)}:${keyOf(x)}`).join()}}` : `o${identityOf(v)}`
  }
  const key = keyOf(value)
  return { tensors, key }
}

/** The same value with other tensors, given in the order in which {@link flatten} finds them. */
export function withTensors<T>(value: T, tensors: readonly Tensor[]): T {
  let next = 0
  const replaced = (v: unknown): unknown => {
    if (v instanceof Tensor) return tensors[next++]
    if (typeof v !== 'object' || v === null) return v
    if (Array.isArray(v)) return v.map(replaced)
    if (v instanceof Map) return new Map([...v].map(([k, x]) => [replaced(k), replaced(x)]))
    return isPlain(v) ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, replaced(x)])) : v
  }
  return replaced(value) as T // of the same structure
}
