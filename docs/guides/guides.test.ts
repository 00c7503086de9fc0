import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { guidePrograms, writeFiles } from './programs.ts'

const guides = import.meta.dirname
const root = resolve(guides, '../..')

test('the programs of the guides have no type errors', { timeout: 120_000 }, () => {
  const folder = join(guides, '../dist/typed-guides')
  mkdirSync(folder, { recursive: true })
  const programs = guidePrograms().map(({ name, code }) => {
    const file = join(folder, `${name}.ts`)
    writeFileSync(file, `${code}\nexport {}\n`)
    return file
  })
  const files = [...programs, ...writeFiles('new-op', folder), ...writeFiles('extending', folder), ...writeFiles('objectives', folder)]
  const base = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => readFileSync(path, 'utf8'))
  const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, root)
  const program = ts.createProgram(files, {
    ...options, composite: false, declaration: false, declarationMap: false, emitDeclarationOnly: false, isolatedDeclarations: false,
    noUnusedLocals: false, noEmit: true,
  })
  const found = files.flatMap((file) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  })
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([])
})

test('links between the guides lead somewhere', () => {
  const pages = readdirSync(guides).filter((name) => name.endsWith('.md'))
  for (const page of pages) {
    const text = readFileSync(join(guides, page), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((\.[^)#]*)(?:#[^)]*)?\)/g)) {
      const path = resolve(dirname(join(guides, page)), target)
      expect(ts.sys.fileExists(path) || ts.sys.directoryExists(path), `${page} -> ${target}`).toBe(true)
    }
  }
})

test('the site lists every guide', () => {
  const { projectDocuments } = JSON.parse(readFileSync(join(root, 'typedoc.json'), 'utf8')) as { projectDocuments: string[] }
  const pages = readdirSync(guides).filter((name) => name.endsWith('.md'))
  expect([...projectDocuments].sort()).toEqual(pages.map((name) => `docs/guides/${name}`).sort())
})

// An unquoted `: ` in a title reads as a nested mapping, and typedoc refuses the page.
test('every guide has a title, in YAML', () => {
  for (const page of readdirSync(guides).filter((name) => name.endsWith('.md'))) {
    const lines = /^---\n([\s\S]*?)\n---\n/.exec(readFileSync(join(guides, page), 'utf8'))?.[1]?.split('\n') ?? []
    expect(lines.filter((line) => line.startsWith('title: ')), page).toHaveLength(1)
    for (const line of lines) expect(line, page).toMatch(/^\w+: ("[^"\\]*"|[^"'\s][^:#]*)$/)
  }
})
