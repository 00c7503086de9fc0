import { CheckpointError, UnsupportedError } from '@antipode/core'
import type { ReadSafetensorsOptions, SafetensorsSource } from '@antipode/core/io'

/** No configuration of an adapter is longer, and no server that works keeps one back for so long. */
const maxBytes = 1_000_000
const patience = 30_000

/**
 * The text of a small file beside a source; undefined if there is none, or the source is a Blob or bytes and has no place.
 * @throws {CheckpointError} if it is there and cannot be read
 */
export async function fileBeside(
  source: SafetensorsSource,
  name: string,
  { signal, fetch = globalThis.fetch }: Pick<ReadSafetensorsOptions, 'signal' | 'fetch'> = {},
): Promise<string | undefined> {
  if (typeof source !== 'string' && !(source instanceof URL)) return undefined
  const remote = source instanceof URL ? source.protocol !== 'file:' : /^https?:/i.test(source)
  const fail = (what: string, cause?: unknown): CheckpointError =>
    new CheckpointError(`loadAdapter: expected a readable ${name} beside ${JSON.stringify(String(source))}, got ${what}; mend or remove it`, { cause })
  if (remote) {
    try {
      const late = AbortSignal.timeout(patience)
      return await answer(await fetch(new URL(name, source), { signal: signal ? AbortSignal.any([signal, late]) : late }), fail)
    } catch (cause) {
      signal?.throwIfAborted()
      throw cause instanceof CheckpointError ? cause : fail(String(cause), cause)
    }
  }
  const host = (globalThis as { process?: typeof process }).process
  const [fs, path, url] = [host?.getBuiltinModule('node:fs/promises'), host?.getBuiltinModule('node:path'), host?.getBuiltinModule('node:url')]
  if (!fs || !path || !url) return undefined
  const place = path.join(path.dirname(source instanceof URL ? url.fileURLToPath(source) : source), name)
  const stat = await fs.stat(place).catch(() => undefined)
  if (!stat?.isFile()) return undefined
  if (stat.size > maxBytes) throw fail(`${stat.size} bytes`)
  return fs.readFile(place, { encoding: 'utf8', ...(signal && { signal }) }).catch((cause: unknown) => {
    signal?.throwIfAborted()
    throw fail(String(cause), cause)
  })
}

/** The path of a file in the folder of another. @throws {UnsupportedError} where there is no Node */
export function besidePath(path: string, name: string): string {
  const node = (globalThis as { process?: typeof process }).process?.getBuiltinModule('node:path')
  if (!node) throw new UnsupportedError('saveAdapter: expected Node to write a file, got none')
  return node.join(node.dirname(path), name)
}

/** What a server sends, as long as it is a file and not longer than one may be. */
async function answer({ status, ok, body }: Response, fail: (what: string) => CheckpointError): Promise<string | undefined> {
  // Stores without a list of files answer 403 for one that is not there.
  const none = [403, 404, 410].includes(status)
  if (none || !ok || !body) {
    await body?.cancel()
    if (none) return undefined
    throw fail(`status ${status}`)
  }
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    text += chunk.value
    if (text.length <= maxBytes) continue
    await reader.cancel()
    throw fail(`more than ${maxBytes} characters`)
  }
  return text
}
