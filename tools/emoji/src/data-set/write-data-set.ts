import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { encodePng } from '@antipode/pipelines'
import { loadSquares } from '@antipode/pipelines/training'
import { captionsOf } from '../captions/index.ts'
import { degraded } from '../degrade/index.ts'
import { type Drawing, familyOf, splitOf, type splits } from '../table/index.ts'

/** What is written, and where. */
export interface WriteOptions {
  /** Folder with the files that the drawings name. */
  readonly images: string
  /** Folder of the data set, made where there is none. */
  readonly out: string
  readonly signal?: AbortSignal
  /** Called after each drawing. */
  readonly onDrawing?: (done: number, total: number) => void
}

/** What a data set holds. */
export interface DataSetReport {
  /** Files: a clean one and a degraded one of each drawing. */
  readonly pictures: number
  /** Those of each split. */
  readonly splits: Readonly<Record<typeof splits[number], number>>
  readonly families: number
  /** Captions that differ from each other. */
  readonly captions: number
  /** Words that differ from each other, between spaces. */
  readonly words: number
  /** Words of the longest caption. */
  readonly longest: number
}

/** Pixels of a side: those of the drawings. */
const side = 64

/**
 * Writes `metadata.jsonl` and `pictures/`: of each drawing a clean copy on white and a degraded one, with the same
 * captions and in the same split. The same drawings give the same files byte for byte.
 * @throws {DatasetError} if a drawing cannot be read @throws the signal's reason when cancelled
 */
export async function writeDataSet(drawings: readonly Drawing[], options: WriteOptions): Promise<DataSetReport> {
  const { images, out, signal, onDrawing } = options
  await mkdir(join(out, 'pictures'), { recursive: true })
  const lines: string[] = []
  const counts = { labeller: 0, judge: 0 }
  for (const [i, drawing] of drawings.entries()) {
    signal?.throwIfAborted()
    const text = captionsOf(drawing)
    const { pictures } = await loadSquares(
      [{ file: join(images, drawing.image), captions: text, origin: drawing.image }], { side },
    )
    const name = basename(drawing.image, '.png')
    const family = familyOf(drawing.emoji)
    const split = splitOf(family)
    const clean = { data: interleaved(pictures), side }
    const bad = degraded(clean, name)
    const copies = [
      { file: `pictures/${name}.png`, data: clean.data, quality: 1, degraded: 'none' },
      { file: `pictures/${name}.degraded.png`, data: bad.data, quality: bad.quality, degraded: bad.kind },
    ]
    for (const { file, data, quality, degraded: kind } of copies) {
      await writeFile(join(out, file), encodePng({ data, width: side, height: side }))
      lines.push(JSON.stringify({ file_name: file, text, split, family, quality, degraded: kind }))
    }
    counts[split] += copies.length
    onDrawing?.(i + 1, drawings.length)
  }
  await writeFile(join(out, 'metadata.jsonl'), lines.map((line) => `${line}\n`).join(''))
  return { pictures: lines.length, splits: counts, ...factsOf(drawings) }
}

/** `[3, side, side]` as `[side, side, 3]`. */
function interleaved(planes: Uint8Array): Uint8Array<ArrayBuffer> {
  const plane = planes.length / 3
  return Uint8Array.from(planes, (_, i) => planes[i % 3 * plane + Math.floor(i / 3)]!)
}

function factsOf(drawings: readonly Drawing[]): Omit<DataSetReport, 'pictures' | 'splits'> {
  const captions = new Set(drawings.flatMap((drawing) => captionsOf(drawing)))
  const words = [...captions].map((caption) => caption.split(' '))
  return {
    families: new Set(drawings.map(({ emoji }) => familyOf(emoji))).size,
    captions: captions.size,
    words: new Set(words.flat()).size,
    longest: Math.max(...words.map(({ length }) => length)),
  }
}
