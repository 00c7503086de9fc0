import { parseArgs } from 'node:util'

/** What the command line asks for. */
export type Asked = { readonly help: true } | {
  /** Folder that the set is written to. */
  readonly out: string
  /** PNG file of some pairs side by side, if wanted. */
  readonly sheet: string | undefined
}

/** How `npm run emoji` is used. */
export const usage = `npm run emoji -- OUT [--sheet FILE]

  OUT           folder that gets metadata.jsonl and pictures/*.png
  --sheet FILE  a PNG of 100 random pictures, each with its degraded copy
  --help        says this`

/** Reads the command line. @throws {TypeError} if it cannot be understood */
export function parseOptions(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args], allowPositionals: true,
    options: { sheet: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  })
  if (values.help) return { help: true }
  const [out] = positionals
  if (positionals.length !== 1 || out === undefined || out === '') {
    throw new TypeError(`emoji: expected one folder to write to, got ${positionals.length === 1 ? 'an empty name' : positionals.length}`)
  }
  if (values.sheet === '') throw new TypeError('emoji: expected --sheet to be a file, got nothing')
  return { out, sheet: values.sheet }
}
