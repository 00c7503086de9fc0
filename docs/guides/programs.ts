import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The TypeScript of one Markdown page, as one program, and what it says it prints. */
export interface Program {
  readonly name: string
  readonly code: string
  /** What the comment behind each `console.log(…)` promises, in order. */
  readonly prints: readonly string[]
}

const block = /^```ts\n(.*?)^```$/gms
const promise = /^(.*console\.log\(.*\)) \/\/ (.+)$/gm

/**
 * All `ts` blocks of a page, one after the other: a page reads like a program with prose in it, and later blocks use
 * what earlier ones declare.
 */
export function programOf(path: string): Program {
  const text = readFileSync(path, 'utf8')
  const code = [...text.matchAll(block)].map(([, body]) => body ?? '').join('\n')
  const prints = [...code.matchAll(promise)].map(([, , printed]) => printed ?? '')
  return { name: basename(path, '.md'), code, prints }
}

/** The programs of all guides that have one. */
export function guidePrograms(): Program[] {
  const folder = import.meta.dirname
  const pages = readdirSync(folder).filter((name) => name.endsWith('.md')).sort()
  return pages.map((name) => programOf(join(folder, name))).filter(({ code }) => code !== '')
}
