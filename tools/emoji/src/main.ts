import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeDataSet } from './data-set/index.ts'
import { drawingsOf, emojiOf } from './table/index.ts'

const usage = `npm run emoji -- OUT

Writes captioned emoji pictures of 64×64 into the folder OUT: metadata.jsonl and pictures/*.png.`

const [out, ...more] = process.argv.slice(2)
if (out === '--help' || out === '-h') console.log(usage)
else if (out === undefined || out.startsWith('-') || more.length > 0) {
  console.error(`emoji: expected one folder, got ${process.argv.slice(2).join(' ') || 'none'}\n\n${usage}`)
  process.exitCode = 2
} else {
  const table = fileURLToPath(import.meta.resolve('emoji-datasource-google/emoji.json'))
  const drawings = drawingsOf(emojiOf(JSON.parse(await readFile(table, 'utf8'))))
  const started = performance.now()
  const report = await writeDataSet(drawings, { images: join(dirname(table), 'img/google/64'), out })
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  console.log(JSON.stringify(report, undefined, 2))
  console.log(`${report.pictures} pictures in ${out}, in ${seconds} s`)
}
