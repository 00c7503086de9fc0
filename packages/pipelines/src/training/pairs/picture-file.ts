import { readFile, stat } from 'node:fs/promises'
import { DatasetError } from './dataset-error.ts'
import type { PreferencePair } from './pair.ts'

/** Where the pictures of a pair lie. */
export interface PairFiles {
  readonly origin: string
  readonly prompt: string
  readonly chosen: string
  readonly rejected: string
}

/** A pair whose pictures are files of their own, or what is wrong with them. */
export async function pairOfFiles({ origin, prompt, chosen, rejected }: PairFiles): Promise<PreferencePair | DatasetError> {
  const states: string[] = []
  for (const [role, path] of Object.entries({ chosen, rejected })) {
    const found = await stat(path).catch(() => undefined)
    if (!found?.isFile()) {
      const got = found ? 'a folder' : 'nothing'
      return new DatasetError(
        origin, `expected the ${role} picture at ${path}, got ${got}; name a file beside the list`,
      )
    }
    states.push(path, `${found.size}`, `${found.mtimeMs}`)
  }
  return {
    prompt, origin,
    identity: JSON.stringify([prompt, ...states]),
    pictures: async () => ({ chosen: await pictureAt(origin, chosen), rejected: await pictureAt(origin, rejected) }),
  }
}

async function pictureAt(origin: string, path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path).catch((cause: unknown) => {
    throw new DatasetError(origin, `expected a picture that can be read at ${path}, got none`, { cause })
  }))
}
