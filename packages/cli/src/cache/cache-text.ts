import type { CacheResult } from './cache.ts'

/** What is kept, as a reader takes it in. */
export function cacheText({ folder, files }: CacheResult): string {
  const lines = files.map(({ address, size, stored, complete }) =>
    `  ${mebibytes(stored)}${complete ? '' : ` of ${mebibytes(size)}`}  ${address}`)
  return [`${sum(files)} in ${folder}`, ...lines, ''].join('\n')
}

/** What was dropped. */
export function clearedText({ folder, files }: CacheResult): string {
  return `dropped ${sum(files)} from ${folder}\n`
}

const sum = (files: CacheResult['files']): string =>
  `${files.length} file${files.length === 1 ? '' : 's'}, ${mebibytes(files.reduce((n, { stored }) => n + stored, 0))},`

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
