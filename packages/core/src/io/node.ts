import { UnsupportedError } from '../errors.ts'

type Builtins = {
  'node:crypto': typeof import('node:crypto')
  'node:fs': typeof import('node:fs')
  'node:fs/promises': typeof import('node:fs/promises')
  'node:os': typeof import('node:os')
  'node:path': typeof import('node:path')
  'node:url': typeof import('node:url')
}

/**
 * A built-in module of Node, without an import that a bundler for browsers would have to resolve.
 *
 * @throws {UnsupportedError} where there is no Node (or Deno, or Bun) underneath.
 */
export function nodeModule<Name extends keyof Builtins>(op: string, name: Name): Builtins[Name] {
  const builtin: ((id: Name) => Builtins[Name] | undefined) | undefined = globalThis.process?.getBuiltinModule
  const module = builtin?.(name)
  if (module === undefined) {
    throw new UnsupportedError(
      `${op}: expected Node 20.16 or later for file paths, got a host without ${name}; ` +
        'pass a URL, a Blob or a Uint8Array to read, and use encodeSafetensors to write',
    )
  }
  return module
}

/** The code of a Node system error ('ENOENT', …), or '' for anything else. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** What something that is no regular file is, in words. */
export function kindOfFile(stat: import('node:fs').StatsBase<unknown>): string {
  if (stat.isDirectory()) return 'a directory'
  if (stat.isFIFO()) return 'a FIFO'
  if (stat.isSocket()) return 'a socket'
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : 'something that is no regular file'
}
