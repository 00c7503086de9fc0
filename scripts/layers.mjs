// Holds the layering rules of the repository; `npm run check:layers` fails with one line for each breach.
//
// Between packages: a package imports only the packages and libraries that the table below grants it.
// Inside a package:  a folder is entered only through its index.ts, and neighbours (the files and folders of one
//                    folder) never depend on each other in a circle, by values or by types. Tests may look behind the index.
// Docs, benchmarks and tools are held to the same, but that they may import any package.

import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

/** What each package may import: other packages by their short name, libraries by theirs; `tests` are packages for its tests. */
const table = {
  'kernels-wgsl': { packages: [], libraries: [] },
  schedulers: { packages: [], libraries: [] },
  core: { packages: ['kernels-wgsl'], libraries: ['webgpu'] },
  models: { packages: ['core'], libraries: ['@huggingface/hub', '@huggingface/tokenizers'] },
  npo: { packages: ['core', 'schedulers'], libraries: ['bullmq', 'ioredis'] },
  digits: { packages: ['core', 'models', 'schedulers', 'npo'], libraries: [] },
  rewards: { packages: ['core', 'models', 'npo'], libraries: [] },
  report: { packages: [], libraries: ['echarts'] },
  video: { packages: ['core', 'models', 'schedulers', 'npo'], tests: ['digits'], libraries: ['wgpu-matrix'] },
  pipelines: { packages: ['core', 'models', 'schedulers', 'npo', 'rewards', 'video'], libraries: ['fast-png', 'hyparquet', 'jpeg-js'] },
  cli: 'anything',
}

/** Rooms outside packages/, whose code may import any package by its name. */
const rooms = ['benchmarks/src', 'docs/charts', 'docs/playground/src', 'tools/emoji/src']

const isTest = (file) => file.endsWith('.test.ts')
/** Test harnesses that a package exports; they alone may import vitest outside tests. */
const isHarness = (file) => /(^|\/)testing(\.ts$|\/)/.test(file)

/** Checks a repository and returns one message for each breach, empty when there is none. */
export function checkLayers(root) {
  const names = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'src')))
  return [
    ...names.sort().flatMap((name) => {
      if (!(name in table)) return [`packages/${name}: expected a row in scripts/layers.mjs, got none; add what it may import`]
      return breachesOf(root, `packages/${name}/src`, (one, say) => packageBreach(name, one, say))
    }),
    ...rooms.filter((room) => existsSync(join(root, room))).flatMap((room) => breachesOf(root, room, () => [])),
  ]
}

/** Breaches in the files of one folder of the repository; `outer` judges what they import of packages and libraries. */
function breachesOf(root, folder, outer) {
  const src = join(root, folder)
  const imports = sourceFiles(src).flatMap((file) => importsOf(file).map((specifier) => ({ from: relative(src, file).split(sep).join('/'), specifier })))
  const say = (from, message) => `${folder}/${from}: ${message}`
  const inner = imports.filter(({ specifier }) => specifier.startsWith('.')).map(({ from, specifier }) => ({
    from,
    specifier,
    to: join(dirname(from), specifier).split(sep).join('/'),
  }))
  return [
    ...imports.flatMap((one) => outer(one, say)),
    ...inner.flatMap((one) => folderBreach(one, say)),
    ...circles(inner).map((circle) => say(circle[0], `depends on itself through ${circle.slice(1).join(' -> ')}`)),
  ]
}

function sourceFiles(folder) {
  return readdirSync(folder).sort().flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return sourceFiles(path)
    return name.endsWith('.ts') ? [path] : []
  })
}

/** Every module that a file names, in import and export declarations, import() calls and import types. */
function importsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
  const found = []
  const visit = (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      found.push(node.moduleSpecifier.text)
    } else if (ts.isImportTypeNode(node)) found.push(node.argument.literal.text)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      if (argument && ts.isStringLiteralLike(argument)) found.push(argument.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function packageBreach(name, { from, specifier }, say) {
  const row = table[name]
  if (row === 'anything' || specifier.startsWith('.') || specifier.startsWith('#')) return []
  const own = /^@antipode\/([^/]+)/.exec(specifier)?.[1]
  if (own === name) return isTest(from) ? [] : [say(from, `imports its own package as '${specifier}'; use a relative path`)]
  if (own) {
    if (row.packages.includes(own) || (isTest(from) && row.tests?.includes(own))) return []
    return [say(from, `imports '${specifier}'; ${name} may import ${list(row.packages)} and nothing else`)]
  }
  if (isTest(from)) return []
  if (specifier.startsWith('node:')) {
    const pure = row.packages.length === 0
    return pure ? [say(from, `imports '${specifier}'; ${name} runs on any host and may not use Node's own modules`)] : []
  }
  const library = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
  if (row.libraries.includes(library) || (library === 'vitest' && isHarness(from))) return []
  return [say(from, `imports the library '${library}'; ${name} may use ${list(row.libraries)} and nothing else`)]
}

const list = (names) => (names.length === 0 ? 'none' : names.join(', '))

function folderBreach({ from, specifier, to }, say) {
  if (to.startsWith('..')) return [say(from, `imports '${specifier}' outside its package; use the package's name`)]
  if (isTest(from) || isHarness(from)) return []
  const [, neighbour, inside] = neighbours(from, to)
  if (inside === undefined || inside === 'index.ts') return []
  return [say(from, `imports '${specifier}' behind the face of ${neighbour}/; import ${neighbour}/index.ts`)]
}

/** Splits two paths at their last common folder: the neighbour `from` is in, the one `to` is in, the rest of `to`. */
function neighbours(from, to) {
  const [a, b] = [from.split('/'), to.split('/')]
  let common = 0
  while (common < a.length - 1 && common < b.length - 1 && a[common] === b[common]) common += 1
  const inside = b.slice(common + 1).join('/')
  return [a.slice(0, common + 1).join('/'), b.slice(0, common + 1).join('/'), inside === '' ? undefined : inside]
}

/** The shortest circle through each neighbour that lies on one, each circle reported once. */
function circles(imports) {
  const edges = new Map()
  for (const { from, to } of imports) {
    if (isTest(from) || isHarness(from) || to.startsWith('..')) continue
    const [a, b] = neighbours(from, to)
    if (a !== b) edges.set(a, (edges.get(a) ?? new Set()).add(b))
  }
  const found = new Map()
  for (const start of edges.keys()) {
    const circle = pathBack(start, edges)
    if (circle) {
      const key = [...new Set(circle)].sort().join()
      if (!found.has(key)) found.set(key, circle)
    }
  }
  return [...found.values()]
}

function pathBack(start, edges) {
  const cameFrom = new Map()
  const queue = [start]
  for (const at of queue) {
    for (const next of edges.get(at) ?? []) {
      if (next === start) {
        const path = [start]
        for (let node = at; node !== start; node = cameFrom.get(node)) path.unshift(node)
        return [start, ...path]
      }
      if (!cameFrom.has(next)) {
        cameFrom.set(next, at)
        queue.push(next)
      }
    }
  }
  return undefined
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const breaches = checkLayers(join(import.meta.dirname, '..'))
  for (const breach of breaches) console.error(breach)
  if (breaches.length > 0) console.error(`layering: ${breaches.length} breaches`)
  process.exitCode = breaches.length > 0 ? 1 : 0
}
