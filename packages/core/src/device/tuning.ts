import { cachePath, kernelsVersion, readText, writeText } from '#gpu'
import type { PackingCosts, AdapterTuning } from '@antipode/kernels-wgsl'
import { ConfigError, UnsupportedError } from '../errors.ts'

/** Of the file; a reader of another one must not guess. */
const schemaVersion = 1

/** Whose constants a file holds: they are right for no other adapter or driver, nor for other kernels. */
export interface TuningKey {
  /** All that the driver tells of the adapter. */
  readonly adapter: string
  /** Version of `@antipode/kernels-wgsl`. */
  readonly kernels: string
}

const costNames = ['buffer', 'texture', 'element', 'dispatches'] as const satisfies (keyof PackingCosts)[]

/** A name for the file of a key: readable, and its own. */
export function tuningFile({ adapter, kernels }: TuningKey): string {
  const readable = adapter.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 80)
  // FNV-1a
  let hash = 0x811c9dc5
  for (const c of adapter) hash = Math.imul(hash ^ (c.codePointAt(0) ?? 0), 0x01000193)
  return `tuning-${readable}-${(hash >>> 0).toString(16).padStart(8, '0')}-${kernels}.json`
}

/** What the file of a key says. */
export function tuningText(key: TuningKey, { packing, measured }: Pick<AdapterTuning, 'packing' | 'measured'>): string {
  return `${JSON.stringify({ schemaVersion, ...key, measured, packing }, null, 2)}\n`
}

/**
 * A row with what a file says of it.
 * @throws {ConfigError} if the text is damaged, or belongs to another key
 */
export function parseTuning(text: string, path: string, key: TuningKey, row: AdapterTuning): AdapterTuning {
  const expect = (holds: boolean, got: string): void => {
    if (!holds) throw refusal(path, key, got)
  }
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw refusal(path, key, 'what is not JSON', cause)
  }
  expect(typeof data === 'object' && data !== null && !Array.isArray(data), 'no object')
  const { schemaVersion: version, adapter, kernels, measured, packing } = data as Readonly<Record<string, unknown>> // checked above
  expect(version === schemaVersion, `schema version ${String(version)}`)
  expect(adapter === key.adapter, `that of ${JSON.stringify(adapter)}`)
  expect(kernels === key.kernels, `that of version ${String(kernels)}`)
  expect(typeof measured === 'string', 'no word on how it was measured')
  expect(packing === null || isCosts(packing), `costs of packing ${JSON.stringify(packing)}`)
  return { ...row, packing: packing as PackingCosts | null, measured: measured as string } // both checked above
}

function isCosts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== costNames.length) return false
  const costs: Readonly<Record<string, unknown>> = { ...value }
  return costNames.every((name) => typeof costs[name] === 'number' && Number.isFinite(costs[name]) && costs[name] >= 0)
}

function refusal(path: string, { adapter, kernels }: TuningKey, got: string, cause?: unknown): ConfigError {
  return new ConfigError(
    `Device.request: expected the tuning of ${JSON.stringify(adapter)} by version ${kernels} in ${path}, got ${got}; ` +
    'delete the file, measure again with `antipode bench --tune`, or request a device with tuning: \'built-in\'',
    { cause },
  )
}

/** The row that was tuned on this adapter, or the one given if none was. @throws {ConfigError} if its file cannot be used */
export async function savedTuning(adapter: string, row: AdapterTuning): Promise<AdapterTuning> {
  const key = { adapter, kernels: kernelsVersion() }
  const path = cachePath(tuningFile(key))
  if (path === undefined) return row
  const text = await readText(path).catch((cause: unknown) => {
    throw refusal(path, key, 'a file that cannot be read', cause)
  })
  return text === undefined ? row : parseTuning(text, path, key, row)
}

/**
 * Keeps what was measured on an adapter for this user: devices requested from now on go by it.
 * @returns the path of the file
 * @throws {UnsupportedError} in browsers @throws {ConfigError} if the file cannot be written
 */
export async function saveTuned(adapter: string, row: Pick<AdapterTuning, 'packing' | 'measured'>): Promise<string> {
  const key = { adapter, kernels: kernelsVersion() }
  const path = cachePath(tuningFile(key))
  if (path === undefined) throw new UnsupportedError('saveTuning: expected a host with a cache of files, got a browser; pass the row as `tuning` to Device.request')
  await writeText(path, tuningText(key, row)).catch((cause: unknown) => {
    throw new ConfigError(`saveTuning: expected to write ${path}, got ${String(cause)}; set XDG_CACHE_HOME to a folder you may write to`, { cause })
  })
  return path
}
