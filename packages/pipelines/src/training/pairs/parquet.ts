import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { ConfigError } from '@antipode/core'
import {
  asyncBufferFromFile, type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema,
} from 'hyparquet'
import { DatasetError } from './dataset-error.ts'
import type { PairOfPictures, PairRow, PairRows } from './pair.ts'

/** Columns that say what the pairs are, small ones, and those that have the pictures. */
const smallColumns = ['caption', 'label_0', 'label_1']
const pictureColumns = ['jpg_0', 'jpg_1']

/**
 * Pairs of a Parquet file with the columns of Pick-a-Pic: `caption`, the bytes of two pictures `jpg_0` and `jpg_1`, and
 * `label_0` and `label_1`, of which that of the picture people preferred is 1 and the other 0. Labels of 0.5 are ties,
 * and so are rows that `has_label` says nobody labelled. A group of rows of the file is in memory at a time, and its
 * pictures only once they are asked for.
 * Source: Kirstain et al. 2023, arXiv 2305.01569; data set yuvalkirstain/pickapic_v1.
 */
export async function* parquet(path: string): PairRows {
  const { size, mtimeMs } = await stat(path)
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file).catch((cause: unknown) => {
    throw new DatasetError(
      basename(path), 'expected a Parquet file, got one whose end is no description of it; fetch it again', { cause },
    )
  })
  const columns = columnsOf(path, metadata)
  let first = 0
  for (const { num_rows: count } of metadata.row_groups) {
    const group: Group = { path, file, metadata, first, after: first + Number(count), state: `${size}:${mtimeMs}` }
    yield* rowsOf(group, columns)
    first = group.after
  }
}

/** Rows of a file that lie together. */
interface Group {
  readonly path: string
  readonly file: AsyncBuffer
  readonly metadata: FileMetaData
  readonly first: number
  readonly after: number
  /** Size and time of the file. */
  readonly state: string
}

type Cells = Readonly<Record<string, unknown>>

/** The small columns that there are. @throws {ConfigError} that lists the columns which are missing */
function columnsOf(path: string, metadata: FileMetaData): string[] {
  const names = new Set(parquetSchema(metadata).children.map(({ element }) => element.name))
  const missing = [...smallColumns, ...pictureColumns].filter((name) => !names.has(name))
  if (missing.length === 0) return names.has('has_label') ? [...smallColumns, 'has_label'] : smallColumns
  throw new ConfigError(
    `openPairs: expected columns caption, jpg_0, jpg_1, label_0 and label_1 in ${path}, got none called ${missing.join(', ')}`,
  )
}

async function* rowsOf(group: Group, columns: readonly string[]): PairRows {
  const rows = await cellsOf(group, columns)
  if (rows instanceof DatasetError) {
    yield rows
    return
  }
  let pictures: Promise<readonly Cells[] | DatasetError> | undefined
  const picturesOf = async (index: number): Promise<Cells> => {
    pictures ??= cellsOf(group, pictureColumns)
    const all = await pictures
    if (all instanceof DatasetError) throw all
    return all[index] ?? {}
  }
  for (const [index, cells] of rows.entries()) yield rowOf(group, index, cells, () => picturesOf(index))
}

/** Cells of some columns, or why they cannot be read. */
async function cellsOf(
  { path, file, metadata, first, after }: Group, columns: readonly string[],
): Promise<readonly Cells[] | DatasetError> {
  try {
    return await parquetReadObjects(
      { file, metadata, columns: [...columns], rowStart: first, rowEnd: after, utf8: false },
    ) as Cells[]
  } catch (cause) {
    const where = `${basename(path)}, rows ${first + 1} to ${after}`
    const reason = cause instanceof Error ? cause.message : String(cause)
    const expected = `expected columns ${columns.join(', ')} that can be read`
    return new DatasetError(where, `${expected}, got an error (${reason}); write the file again`, { cause })
  }
}

function rowOf({ path, first, state }: Group, index: number, cells: Cells, picturesOf: () => Promise<Cells>): PairRow {
  const row = first + index + 1
  const origin = `${basename(path)}, row ${row}`
  const { caption, label_0: label0, label_1: label1, has_label: labelled } = cells
  if (labelled === false || (label0 === 0.5 && label1 === 0.5)) return 'tie'
  const wins = label0 === 1 && label1 === 0
  if (typeof caption !== 'string' || !(wins || (label0 === 0 && label1 === 1))) {
    const got = typeof caption === 'string' ? `${String(label0)} and ${String(label1)}` : 'no caption'
    return new DatasetError(
      origin, `expected a caption, and labels 1 and 0, 0 and 1, or 0.5 and 0.5, got ${got}; leave the row out`,
    )
  }
  return {
    prompt: caption, origin,
    identity: JSON.stringify([caption, path, state, row]),
    pictures: async (): Promise<PairOfPictures> => {
      const { jpg_0: first, jpg_1: second } = await picturesOf()
      if (!(first instanceof Uint8Array && second instanceof Uint8Array)) {
        throw new DatasetError(
          origin, 'expected the bytes of a picture in jpg_0 and jpg_1, got none; leave the row out',
        )
      }
      // Copies, as these lie in the pages of all.
      const [winner, loser] = wins ? [first, second] : [second, first]
      return { chosen: winner.slice() as Uint8Array<ArrayBuffer>, rejected: loser.slice() as Uint8Array<ArrayBuffer> }
    },
  }
}
