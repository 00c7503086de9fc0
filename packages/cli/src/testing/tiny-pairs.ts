import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodePng } from '@antipode/pipelines'

/** Folders of small pipelines as diffusers saved them, whose pictures have 16² pixels. */
export const tinyModels: Readonly<Record<'sd' | 'sdxl', string>> = {
  sd: join(import.meta.dirname, '../../../pipelines/test/sd'),
  sdxl: join(import.meta.dirname, '../../../pipelines/test/sdxl'),
}

/** Two pairs, a tie, a row that nobody labelled and a damaged one, as Pick-a-Pic has them. */
export const pickAPic: string = join(
  import.meta.dirname, '../../../pipelines/src/training/pairs/pick-a-pic.golden.parquet',
)

/** Writes a folder of pairs: gradients to the right are preferred over those to the left. */
export function writeTinyPairs(folder: string, count: number): void {
  mkdirSync(folder, { recursive: true })
  const picture = (light: (x: number) => number): Uint8Array => {
    const data = Uint8Array.from({ length: 768 }, (_, i) => light(Math.floor(i / 3) % 16))
    return encodePng({ width: 16, height: 16, data })
  }
  const lines = Array.from({ length: count }, (_, i) => {
    const row = {
      prompt: `a photo of the ${['cat', 'dog', 'boat'][i % 3]}`, chosen: `${i}-a.png`, rejected: `${i}-b.png`,
    }
    writeFileSync(join(folder, row.chosen), picture((x) => 16 * x + i))
    writeFileSync(join(folder, row.rejected), picture((x) => 255 - 16 * x - i))
    return JSON.stringify(row)
  })
  writeFileSync(join(folder, 'pairs.jsonl'), `${lines.join('\n')}\n`)
}
