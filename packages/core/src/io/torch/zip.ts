import { refuse } from '../refuse.ts'
import type { ByteSource } from '../source.ts'

/** A file in an archive, stored without compression. */
export interface ZipEntry {
  readonly name: string
  readonly size: number
  /** Where its local header is; its bytes follow that. */
  readonly header: number
}

const endBytes = 22
const locatorBytes = 20
const end64Bytes = 56
const localBytes = 30
const entryBytes = 46
/** A comment at the end of an archive is at most this long. */
const maxComment = 65_535
/** The most entries and bytes that a directory of a checkpoint needs: 2^20 tensors of 100 bytes each. */
const maxDirectory = 100_000_000
/** What 32 bits cannot hold stands in a field of its own. */
const in64 = 0xffff_ffff

/**
 * The directory of a zip archive, checked against its size: names are unique, and every file lies in the archive.
 * @throws {CheckpointError} if it is truncated, damaged, encrypted, compressed or spread over several disks
 * Source: PKWARE, APPNOTE 6.3.10, sections 4.3 and 4.5.3.
 */
export async function readZip(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const { label } = source
  const { entries, offset, bytes } = await readEnd(source)
  const view = dataView(await source.read(offset, bytes))
  const files = new Map<string, ZipEntry>()
  let at = 0
  for (let i = 0; i < entries; i++) {
    if (at + entryBytes > bytes || view.getUint32(at, true) !== 0x0201_4b50) {
      refuse(label, `entry ${i} of ${entries} in its directory`, 'something else')
    }
    const [nameBytes, extraBytes] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)]
    const next = at + entryBytes + nameBytes + extraBytes + view.getUint16(at + 32, true)
    if (next > bytes) refuse(label, `entry ${i} of its directory`, 'one that runs past the end')
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + entryBytes, nameBytes))
    const shown = JSON.stringify(name)
    const flags = view.getUint16(at + 8, true)
    if ((flags & 1) !== 0) refuse(label, 'files that are not encrypted', `an encrypted one, ${shown}`)
    const wide = new Extra64(view, at + entryBytes + nameBytes, extraBytes)
    const size = wide.or(view.getUint32(at + 24, true))
    const packed = wide.or(view.getUint32(at + 20, true))
    const header = wide.or(view.getUint32(at + 42, true))
    if (view.getUint16(at + 10, true) !== 0 || size !== packed) {
      const expected = 'files that are stored as they are, as torch.save does'
      refuse(label, expected, `a compressed one, ${shown}`, 'save it again with torch.save')
    }
    if (!(header + localBytes + nameBytes + size <= source.size)) {
      refuse(label, `${shown} to lie in the archive`, `one of ${size} bytes at ${header}: the file is truncated`)
    }
    if (files.has(name)) refuse(label, 'names that are unique', `${shown} twice`)
    files.set(name, { name, size, header })
    at = next
  }
  return files
}

/** Where the bytes of a file begin, by its local header. @throws {CheckpointError} if the two headers differ */
export async function startOf(source: ByteSource, { name, size, header }: ZipEntry): Promise<number> {
  const view = dataView(await source.read(header, localBytes))
  const shown = JSON.stringify(name)
  if (view.getUint32(0, true) !== 0x0403_4b50) {
    refuse(source.label, `a header of ${shown} at byte ${header}`, 'something else')
  }
  const start = header + localBytes + view.getUint16(26, true) + view.getUint16(28, true)
  if (start + size > source.size) {
    refuse(source.label, `${size} bytes of ${shown}`, `${source.size - start}: the file is truncated`)
  }
  return start
}

/** Values of 64 bits of an entry, in the order in which its own fields are too narrow. */
class Extra64 {
  readonly #view: DataView
  #at = 0
  readonly #end: number = 0

  constructor(view: DataView, offset: number, bytes: number) {
    this.#view = view
    for (let at = offset; at + 4 <= offset + bytes; at += 4 + view.getUint16(at + 2, true)) {
      if (view.getUint16(at, true) !== 1) continue
      this.#at = at + 4
      this.#end = Math.min(at + 4 + view.getUint16(at + 2, true), offset + bytes)
      return
    }
  }

  /** The field, or the next value here where the field says so; NaN if there is none. */
  or(field: number): number {
    if (field !== in64) return field
    if (this.#at + 8 > this.#end) return NaN
    this.#at += 8
    return Number(this.#view.getBigUint64(this.#at - 8, true))
  }
}

/** Where a directory is, and of how many entries. */
interface Place {
  readonly entries: number
  readonly offset: number
  readonly bytes: number
}

async function readEnd(source: ByteSource): Promise<Place> {
  const { label } = source
  const length = Math.min(source.size, endBytes + maxComment + locatorBytes)
  const tail = dataView(await source.read(source.size - length, length))
  const isEnd = (at: number): boolean =>
    tail.getUint32(at, true) === 0x0605_4b50 && at + endBytes + tail.getUint16(at + 20, true) === length
  let at = length - endBytes
  while (at >= 0 && !isEnd(at)) at--
  if (at < 0) refuse(label, 'a zip archive with its directory at the end', 'none: the file is truncated')
  let entries = tail.getUint16(at + 10, true)
  let bytes = tail.getUint32(at + 12, true)
  let offset = tail.getUint32(at + 16, true)
  const locator = at - locatorBytes
  if (locator >= 0 && tail.getUint32(locator, true) === 0x0706_4b50) {
    const place = Number(tail.getBigUint64(locator + 8, true))
    if (!(place + end64Bytes <= source.size)) {
      refuse(label, 'the end of its directory in the archive', `one at byte ${place}`)
    }
    const end = dataView(await source.read(place, end64Bytes))
    if (end.getUint32(0, true) !== 0x0606_4b50) refuse(label, 'the end of its directory', 'something else')
    entries = Number(end.getBigUint64(32, true))
    bytes = Number(end.getBigUint64(40, true))
    offset = Number(end.getBigUint64(48, true))
  }
  if (!(offset + bytes <= source.size)) {
    refuse(label, 'its directory in the archive', `one of ${bytes} bytes at ${offset}: the file is truncated`)
  }
  if (bytes > maxDirectory) refuse(label, `a directory of at most ${maxDirectory} bytes`, `${bytes}`)
  return { entries, offset, bytes }
}

const dataView = (bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
