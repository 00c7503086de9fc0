import { CheckpointError, concat } from '@antipode/core'
import type { Checkpoint, StateSource } from '@antipode/core/nn'
import { computed, computedInfo, entriesOf, type Entry, sourceOf } from './entries.ts'

/**
 * A checkpoint some tensors of which are put end to end along their first axis: the inverse of `split`.
 * @param into the name of the whole and the place of this part in it, from 0, or undefined to leave a tensor alone
 * @throws {CheckpointError} if a part is missing, parts are not of one width and element type, or two tensors get one
 * name
 */
export function fuse(
  checkpoint: Checkpoint,
  into: (name: string) => readonly [whole: string, part: number] | undefined,
): StateSource {
  const alone: Entry[] = []
  const groups = new Map<string, Entry[]>()
  for (const entry of entriesOf(checkpoint)) {
    const [whole, part] = into(entry.name) ?? []
    if (whole === undefined || part === undefined) {
      alone.push(entry)
      continue
    }
    const parts = groups.get(whole) ?? []
    if (parts[part]) {
      throw new CheckpointError(
        `fuse: expected one tensor for part ${part} of ${whole}, got ${parts[part].name} and ${entry.name}`,
      )
    }
    parts[part] = entry
    groups.set(whole, parts)
  }
  return sourceOf('fuse', [...alone, ...Array.from(groups, ([name, parts]) => whole(name, parts))])
}

function whole(name: string, parts: readonly (Entry | undefined)[]): Entry {
  const known = Array.from(parts, (part, k) => part ?? missing(name, k))
  const [{ info }] = known as [Entry, ...Entry[]]
  const width = info.shape.slice(1)
  const odd = known.find((part) => `${part.info.shape.slice(1)}` !== `${width}` || part.info.dtype !== info.dtype)
  if (odd) {
    throw new CheckpointError(
      `fuse: expected parts of ${name} to be ${info.dtype} of width [${width}], got ` +
        `${odd.info.dtype} [${odd.info.shape}] of ${odd.name}`,
    )
  }
  const rows = known.reduce((sum, part) => sum + (part.info.shape[0] ?? 0), 0)
  return {
    name,
    info: computedInfo(info, [rows, ...width]),
    read: (device, dtype) => computed(known, device, dtype, (tensors) => concat(tensors, 0)),
  }
}

function missing(name: string, part: number): never {
  throw new CheckpointError(`fuse: expected every part of ${name}, got none for part ${part}`)
}
