import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AntipodeError } from '@antipode/core'
import { openFile, openFolder } from '@antipode/core/io'
import { encodePng } from '@antipode/pipelines'
import { type Pair, summaryOf, writeDataSet } from './data-set/index.ts'
import { type Asked, parseOptions, usage } from './options.ts'
import { sheetOf } from './sheet.ts'

/** What the command line asks for; a mistake in it ends the process. */
async function asked(): Promise<Asked> {
  try {
    const options = parseOptions(process.argv.slice(2))
    if ('help' in options) return options
    await openFolder({ command: 'emoji', option: 'OUT' }, options.out)
    if (options.sheet !== undefined) await openFile({ command: 'emoji', option: '--sheet' }, options.sheet)
    return options
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof AntipodeError)) throw error
    console.error(`${error.message}\n\n${usage}`)
    return process.exit(2)
  }
}

const options = await asked()
if ('help' in options) console.log(usage)
else {
  const from = join(import.meta.dirname, '../pictures/node_modules/emoji-datasource-google')
  const pairs: Pair[] = []
  const rows = await writeDataSet({ from, to: options.out, onPair: (pair) => { pairs.push(pair) } })
  if (options.sheet !== undefined) await writeFile(options.sheet, encodePng(sheetOf(pairs)))
  console.log(JSON.stringify(summaryOf(rows), undefined, 2))
}
