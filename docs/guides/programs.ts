import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { tsBlocks } from '../../scripts/readme-example.mjs'

/** The TypeScript of one Markdown page, as one program, and what it says it prints. */
export interface Program {
  readonly name: string
  readonly code: string
  /** What the comment behind each `console.log(…)` promises, in order. */
  readonly prints: readonly string[]
}

const root = resolve(import.meta.dirname, '../..')
const promised = /^.*console\.log\(.*\) \/\/ (.+)$/gm

const blocksOf = (path: string): ReturnType<typeof tsBlocks> => tsBlocks(readFileSync(path, 'utf8'))

/** The programs of the front page and of all guides that have one: a guide reads like a program with prose in it. */
export function guidePrograms(): Program[] {
  const folder = import.meta.dirname
  const guides = readdirSync(folder).filter((name) => name.endsWith('.md')).sort()
  return ['../../README.md', ...guides].map((page) => {
    const code = blocksOf(join(folder, page)).filter(({ path }) => path === undefined).map(({ code }) => code).join('\n')
    return { name: basename(page, '.md'), code, prints: [...code.matchAll(promised)].map(([, printed = '']) => printed) }
  }).filter(({ code }) => code !== '')
}

/**
 * Writes the files that a guide shows (their first lines name them) below `folder`. Those of this repository keep their place in it:
 * what they import of their neighbours is read from there. Tests become `.cases.ts`, so that no runner takes them for its own.
 */
export function writeFiles(guide: string, folder: string): string[] {
  const shown = blocksOf(join(import.meta.dirname, `${guide}.md`)).flatMap(({ path, code }) => (path === undefined ? [] : [{ path, code }]))
  return shown.map(({ path, code }) => {
    const file = join(folder, path.replace('.test.ts', '.cases.ts'))
    mkdirSync(dirname(file), { recursive: true })
    // Relative, as compilers rewrite only such imports.
    writeFileSync(file, code.replaceAll(/from '(\.[^']*)'/g, (whole, specifier: string) => {
      const place = join(dirname(path), specifier)
      return shown.some((one) => one.path === place) ? whole : `from '${relative(dirname(file), join(root, place))}'`
    }))
    return file
  })
}
