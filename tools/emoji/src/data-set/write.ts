import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '@antipode/core/io'
import { decodePng, encodePng } from '@antipode/pipelines'
import { degraded, onWhite, type Picture } from '../degrade/index.ts'
import { readEmoji } from '../emoji/index.ts'
import { type Row, type Source, sourcesOf } from './rows.ts'

/** A picture and its spoilt copy, as they were written. */
export interface Pair {
  readonly clean: Picture
  readonly spoilt: Picture
}

/** Options of {@link writeDataSet}. */
export interface WriteOptions {
  /** Folder of the package `emoji-datasource-google`. */
  readonly from: string
  /** Folder that is made or written over. */
  readonly to: string
  /** Called after each pair of pictures. */
  readonly onPair?: (pair: Pair) => void
}

/**
 * Writes a set of captioned pictures: `metadata.jsonl`, and below `pictures` a clean and a spoilt copy of each picture of an
 * emoji on white paper. The same package gives the same bytes.
 * @throws {ConfigError} if `emoji.json` is no list of emoji
 * @throws {ImageError} if a picture is no PNG file @throws {ShapeError} if one is no square
 */
export async function writeDataSet({ from, to, onPair }: WriteOptions): Promise<readonly Row[]> {
  const sources = sourcesOf(readEmoji(await readFile(join(from, 'emoji.json'), 'utf8')))
  await makeFolder(join(to, 'pictures'))
  const rows: Row[] = []
  for (const source of sources) {
    const clean = onWhite(decodePng(await readFile(join(from, 'img/google/64', source.image))))
    const name = source.image.replace(/\.png$/, '')
    const { picture: spoilt, kind, quality } = degraded(clean, name)
    const pair = [
      { picture: clean, row: rowOf(source, `${name}.png`, 1, 'none') },
      { picture: spoilt, row: rowOf(source, `${name}-degraded.png`, quality, kind) },
    ]
    for (const { picture, row } of pair) {
      await writeFile(join(to, row.file_name), encodePng(picture))
      rows.push(row)
    }
    onPair?.({ clean, spoilt })
  }
  await writeFile(join(to, 'metadata.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return rows
}

function rowOf({ captions, split, family }: Source, file: string, quality: number, degraded: Row['degraded']): Row {
  return { file_name: `pictures/${file}`, text: captions, split, family, quality, degraded }
}
