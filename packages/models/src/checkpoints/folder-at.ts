import {
  diskCache, type FileCache, type Folder, folderOf, type FolderSource, readOptions, readRanges,
  type ReadSafetensorsOptions,
} from '@antipode/core/io'
import { type HubOptions, hubAddress, hubFolder } from './hub.ts'

/** How files of a checkpoint are read. */
export interface ReadingOptions extends Omit<ReadSafetensorsOptions, 'shards' | 'cache'>, HubOptions {
  /**
   * Where files of the network are kept for the next time, or false for nowhere. By default `diskCache()` in Node, and
   * nowhere in a page.
   */
  readonly cache?: FileCache | false
}

/**
 * The folder at a source: a path (Node), an address, `hf:owner/name`, a directory that a page was given, or files by
 * their paths. Its files are unread; `readTensors` opens those of weights.
 * @throws {CheckpointError} if it is no address @throws {UnsupportedError} for a path where there is no Node
 */
export async function folderAt(source: FolderSource, options: ReadingOptions = {}): Promise<Folder> {
  const read = readOptions(readingOf(options))
  const address = hubAddress(source)
  return address ? hubFolder(address, options, read) : folderOf(source, read)
}

/** What reading files goes by, of options that say more. */
export function readingOf(options: ReadingOptions): ReadSafetensorsOptions {
  const { cache = globalThis.process?.getBuiltinModule === undefined ? false : diskCache() } = options
  const given = Object.entries(options).filter(([name]) => name in readRanges && name !== 'cache')
  return { ...Object.fromEntries(given), ...(cache && { cache }) }
}
