import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { defineConfig } from 'tsup'

// One configuration for every package. Entries are read from its package.json: each target of `exports`, `imports`
// and `bin` under dist/ has its source under src/, named by the `@antipode/source` condition (or src/main.ts for bin).
type Conditions = { [condition: string]: Target }
type Target = string | Conditions
type Manifest = { exports?: Conditions; imports?: Conditions; bin?: Record<string, string> }

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const source = '@antipode/source'

const pick = (target: Target | undefined, ...path: string[]): Target | undefined =>
  path.reduce<Target | undefined>((at, key) => (typeof at === 'object' ? at[key] : undefined), target)

const entry: Record<string, string> = {}
const add = (output: Target | undefined, input: Target | undefined): void => {
  const file = typeof output === 'object' ? output['default'] : output
  if (typeof file === 'string' && typeof input === 'string') {
    entry[file.replace(/^\.\/dist\//, '').replace(/\.js$/, '')] = input
  }
}

for (const target of Object.values(manifest.exports ?? {})) add(target, pick(target, source))
for (const target of Object.values(manifest.imports ?? {})) {
  for (const host of ['node', 'default']) add(pick(target, host), pick(target, source, host))
}
for (const file of Object.values(manifest.bin ?? {})) add(file, file.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))

export default defineConfig({
  entry,
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  clean: true,
  sourcemap: true,
  treeshake: true,
  // `#gpu` is resolved by the host (Node or a bundler) from the package's own import map.
  external: [/^#/, /^node:/],
  tsconfig: 'tsconfig.json',
  onSuccess: () => { copyTypes(`../../.tsbuild/${basename(process.cwd())}/src`); return Promise.resolve() },
})

/**
 * Puts the declarations that `tsc -b` made of the sources there are beside what was built: making them again here took most of a
 * build's time.
 */
function copyTypes(from: string): void {
  for (const path of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    const source = join('src', path.replace(/\.d\.ts$/, '.ts'))
    if (!path.endsWith('.d.ts') || /\.(test|fixture)\.ts$/.test(source) || !existsSync(source)) continue
    mkdirSync(dirname(join('dist', path)), { recursive: true })
    // Their maps lead to this repository, and what they import has other endings here.
    const text = readFileSync(join(from, path), 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
    writeFileSync(join('dist', path), text.replace(/(from |import\()(['"]\.[^'"]*)\.ts(?=['"])/g, '$1$2.js'))
  }
}
