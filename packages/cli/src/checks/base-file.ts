import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { BaseCard } from '../train/index.ts'
import { UsageError } from '../usage-error.ts'

/** A base checkpoint as it lies on the disk. */
export interface BaseFile {
  readonly bytes: Uint8Array
  readonly card: BaseCard
}

/**
 * Reads a base checkpoint and the card beside it, and holds them to each other.
 * @throws {UsageError} if either is missing, they are not what `train base` writes, or not for this model
 */
export async function readBaseFile(model: BaseCard['model'], path: string): Promise<BaseFile> {
  const refuse = (got: string): never => {
    throw new UsageError(
      `demo: expected a base checkpoint of ${model} and its card, got ${got}; make one with \`antipode train base --model ${model} --out FILE\` and pass it as --base FILE`,
    )
  }
  const read = async (file: string): Promise<Uint8Array> =>
    new Uint8Array(await readFile(file).catch((error: NodeJS.ErrnoException) => refuse(`a file that cannot be read (${error.code}) at ${file}`)))
  for (const file of [path, `${path}.json`]) {
    const found = await stat(file).catch(() => refuse(`nothing at ${file}`))
    // Reading a pipe would wait for whoever writes to it.
    if (!found.isFile()) refuse(`${found.isDirectory() ? 'a folder' : 'no regular file'} at ${file}`)
  }
  const card = parseCard(await read(`${path}.json`)) ?? refuse(`another file at ${path}.json`)
  if (card.model !== model) refuse(`one of ${card.model} at ${path} (or pass --model ${card.model})`)
  const bytes = await read(path)
  if (!beginsAsSafetensors(bytes)) refuse(`a file that is not safetensors at ${path}`)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (card.sha256 !== sha256) refuse(`a file with SHA-256 ${sha256} at ${path}, while its card has ${card.sha256}`)
  return { bytes, card }
}

/** A card that `train base` wrote, or undefined for anything else. */
function parseCard(bytes: Uint8Array): BaseCard | undefined {
  try {
    const card = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Partial<BaseCard> | null
    return typeof card?.model === 'string' && typeof card.sha256 === 'string' && typeof card.recipe === 'object' ? card as BaseCard : undefined // the others are shown only
  } catch {
    return undefined
  }
}

/** Whether these are the length of a header and the brace that it opens with. */
function beginsAsSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length < 10) return false
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  return length <= BigInt(bytes.length - 8) && bytes[8] === 0x7b
}
