/** A file that a cache holds, whole or in part. */
export interface CachedFile {
  /** Where it came from. */
  readonly address: string
  /** Which state of it, as {@link RemoteFile.version} tells. */
  readonly version: string
  readonly size: number
  /** Bytes that are here, from the start of the file on. */
  readonly stored: number
  /** Whether all are here, and have the digest of the file where it has one. */
  readonly complete: boolean
}

/** Files of the network that are kept for the next time, each under its address. */
export interface FileCache {
  /** How messages name it. */
  readonly label: string
  /** All of its files, by address. */
  list(): Promise<readonly CachedFile[]>
  /** One of them. */
  find(address: string): Promise<CachedFile | undefined>
  /** Drops a file, or all of them; one that is not there is no error. */
  remove(address?: string): Promise<void>
  /** Takes the right to write a file, unless somebody has it. */
  lock(address: string): Promise<AsyncDisposable | undefined>
  /** Begins a file anew, empty. */
  begin(file: Pick<CachedFile, 'address' | 'version' | 'size'>): Promise<void>
  /** Adds bytes to the end of a file that was begun. */
  append(address: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** Notes that a file is whole and as it should be. */
  complete(address: string): Promise<void>
  /** Bytes of a file that it holds, in memory of their own or in `into`. */
  read(
    address: string, offset: number, length: number, into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>>
}
