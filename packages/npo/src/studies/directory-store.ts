import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CheckpointError } from '@antipode/core'
import { writeAtomically } from '@antipode/core/io'
import { decodeResult, encodeResult, type ResultStore } from './results.ts'

/**
 * Results as files of a folder, `<id>.json`, each of which appears whole or not at all. Several processes and machines
 * may share the folder. A file that is damaged counts as none: its job runs again and replaces it. Node only.
 */
export function directoryStore(path: string): ResultStore {
  const fileOf = (id: string): string => join(path, `${id}.json`)
  return {
    async get(id) {
      const bytes = await readFile(fileOf(id)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw new CheckpointError(`directoryStore: cannot read ${fileOf(id)}: ${error.message}; check the folder`, { cause: error })
      })
      return bytes && (await decodeResult('directoryStore', bytes, id).catch((error: unknown) => {
        if (!(error instanceof CheckpointError)) throw error
        return undefined
      }))
    },
    async put(id, result) {
      await mkdir(path, { recursive: true })
      await writeAtomically('directoryStore', fileOf(id), once(encodeResult(result)))
    },
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield await Promise.resolve(bytes)
}
