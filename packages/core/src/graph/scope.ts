import { callable, checkArgument } from '../options/index.ts'

/** What came to own a buffer in each scope that is open. */
const scopes: Set<Disposable>[] = []

/** Called by every tensor that comes to own a buffer. */
export function track(tensor: Disposable): void {
  scopes.at(-1)?.add(tensor)
}

/**
 * Runs `fn` and then disposes every tensor that came to own a buffer meanwhile, except those it returns (alone, in an
 * array, a Map or as values of an object). Scopes nest; a tensor kept by an inner scope belongs to the outer one. Asynchronous
 * scopes must not overlap: await one before the next. @throws {ConfigError} if `fn` is no function
 */
export async function scope<T>(fn: () => T | Promise<T>): Promise<T> {
  checkArgument('scope', 'fn', fn, callable)
  const own = new Set<Disposable>()
  scopes.push(own)
  let result: T | undefined
  try {
    result = await fn()
    return result
  } finally {
    scopes.splice(scopes.indexOf(own), 1)
    const kept = new Set(tensorsIn(result))
    for (const t of own) {
      if (kept.has(t)) track(t)
      else t[Symbol.dispose]()
    }
  }
}

/** Tensors in nested arrays and objects, which may refer to each other in circles. */
function tensorsIn(value: unknown, seen: Set<unknown> = new Set()): unknown[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return []
  seen.add(value)
  if ('shape' in value && 'dtype' in value) return [value]
  return (value instanceof Map ? [...value.values()] : Object.values(value)).flatMap((v: unknown) => tensorsIn(v, seen))
}
