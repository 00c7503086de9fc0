import { CheckpointError } from '@antipode/core'
import type { SafetensorsSource } from '@antipode/core/io'

/** No configuration of an adapter is longer. */
const maxBytes = 1_000_000

/**
 * The text of a small file beside a source; undefined if there is none, or the source is a Blob or bytes and has no place.
 * @throws {CheckpointError} if it is there and cannot be read
 */
export async function fileBeside(source: SafetensorsSource, name: string, signal?: AbortSignal): Promise<string | undefined> {
  if (typeof source !== 'string' && !(source instanceof URL)) return undefined
  const remote = source instanceof URL ? source.protocol !== 'file:' : /^https?:/i.test(source)
  const fail = (what: string, cause?: unknown): CheckpointError =>
    new CheckpointError(`loadAdapter: expected a readable ${name} beside ${JSON.stringify(String(source))}, got ${what}; mend or remove it`, { cause })
  if (remote) {
    const response = await fetch(new URL(name, source), { signal: signal ?? null }).catch((cause: unknown) => {
      signal?.throwIfAborted()
      throw fail(String(cause), cause)
    })
    // Stores without a list of files answer 403 for one that is not there.
    if ([403, 404, 410].includes(response.status)) {
      await response.body?.cancel()
      return undefined
    }
    if (!response.ok) throw fail(`status ${response.status}`)
    return limited(await response.text(), fail)
  }
  const host = (globalThis as { process?: typeof process }).process
  const [fs, path, url] = [host?.getBuiltinModule('node:fs/promises'), host?.getBuiltinModule('node:path'), host?.getBuiltinModule('node:url')]
  if (!fs || !path || !url) return undefined
  const place = path.join(path.dirname(source instanceof URL ? url.fileURLToPath(source) : source), name)
  const stat = await fs.stat(place).catch(() => undefined)
  if (!stat?.isFile()) return undefined
  if (stat.size > maxBytes) throw fail(`${stat.size} bytes`)
  return limited(await fs.readFile(place, { encoding: 'utf8', ...(signal && { signal }) }), fail)
}

function limited(text: string, fail: (what: string) => CheckpointError): string {
  if (text.length > maxBytes) throw fail(`${text.length} characters`)
  return text
}
