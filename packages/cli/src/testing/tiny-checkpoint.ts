import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { encode } from 'fast-png'

/** A small Stable Diffusion as diffusers saved it (tools/golden/tiny_pipeline.py). */
const golden = join(import.meta.dirname, '../../../models/src/checkpoints/pipeline.golden.json')

/** Its files by their paths, as texts or bytes. */
interface Golden {
  readonly files: Readonly<Record<string, { readonly text: string } | { readonly base64: string }>>
}

/** Writes the folder of a small Stable Diffusion: pictures of 16², f16, words of the letters a and b. */
export function writeTinyCheckpoint(folder: string): void {
  const { files } = JSON.parse(readFileSync(golden, 'utf8')) as Golden
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), 'text' in content ? content.text : Buffer.from(content.base64, 'base64'))
  }
}

/** Writes a folder of pairs: gradients to the right are preferred over those to the left. */
export function writeTinyPairs(folder: string, count: number): void {
  mkdirSync(folder, { recursive: true })
  const picture = (light: (x: number) => number): Uint8Array =>
    encode({ width: 16, height: 16, channels: 3, depth: 8, data: Uint8Array.from({ length: 768 }, (_, i) => light(Math.floor(i / 3) % 16)) })
  const lines = Array.from({ length: count }, (_, i) => {
    const row = { prompt: 'ab '.repeat(1 + i % 3).trim(), chosen: `${i}-a.png`, rejected: `${i}-b.png` }
    writeFileSync(join(folder, row.chosen), picture((x) => 16 * x + i))
    writeFileSync(join(folder, row.rejected), picture((x) => 255 - 16 * x - i))
    return JSON.stringify(row)
  })
  writeFileSync(join(folder, 'pairs.jsonl'), `${lines.join('\n')}\n`)
}
