// Tests the packages as users get them: builds and packs each, lints the tarballs, installs them into an empty project
// outside the workspace, imports every entry in Node, runs the example of each README, type-checks a consumer, and loads
// all packages in a browser page.
//
//   node scripts/pack-test.mjs [--no-build] [--keep]
//
// The last line is `N passed, N failed`; the exit status is 1 if anything failed.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { loadPage } from './pack-test-page.mjs'
import { placeExampleFiles } from './example-files.mjs'
import { firstExample, stripTypes, tsBlocks } from './readme-example.mjs'

const { values: flags } = parseArgs({ options: { 'no-build': { type: 'boolean' }, keep: { type: 'boolean' } } })
const root = join(import.meta.dirname, '..')
const bin = (name) => join(root, 'node_modules', '.bin', name)
const project = mkdtempSync(join(tmpdir(), 'antipode-pack-'))
const tarballs = join(project, 'tarballs')
mkdirSync(tarballs)

const packages = readdirSync(join(root, 'packages'))
  .map((folder) => join(root, 'packages', folder))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))

/** Every entry that code can import, for example '@antipode/core' and '@antipode/core/nn'. */
const entries = packages.flatMap(({ manifest }) =>
  Object.keys(manifest.exports ?? {})
    .filter((key) => key !== './package.json')
    .map((key) => manifest.name + key.slice(1)),
)
// The test harness needs a test runner, which an empty project has not.
const importable = entries.filter((entry) => !entry.endsWith('/testing'))

const minute = 60_000
let passed = 0
let failed = 0
function report(name, problem) {
  if (problem) failed += 1
  else passed += 1
  console.log(`${problem ? 'FAIL' : 'ok  '} ${name}${problem ? `\n${problem.replace(/^/gm, '     ')}` : ''}`)
}

function run(name, command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 10 * minute })
  const good = status === 0
  report(name, good ? undefined : `${error?.message ?? ''}${stdout}${stderr}`.trim() || `exit status ${status}`)
  return good
}

function tarballOf(name, version) {
  return join(tarballs, `${name.slice(1).replace('/', '-')}-${version}.tgz`)
}

function packAll() {
  for (const { folder, manifest } of packages) {
    const { name, version } = manifest
    if (!run(`${name} packs`, bin('pnpm'), ['pack', '--pack-destination', tarballs], folder)) continue
    const tarball = tarballOf(name, version)
    run(`${name} passes publint`, bin('publint'), ['run', '--strict', tarball], root)
    // A package that is only a program has no types to resolve.
    if (entries.some((entry) => entry === name)) {
      run(`${name} passes attw`, bin('attw'), [tarball, '--profile', 'esm-only'], root)
    }
  }
}

function installAll() {
  const dependencies = Object.fromEntries(
    packages.map(({ manifest }) => [manifest.name, `file:${tarballOf(manifest.name, manifest.version)}`]),
  )
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const own = { name: 'consumer', private: true, type: 'module' }
  // The peers that users add, in the versions that the workspace tests with.
  const peers = { webgpu: devDependencies.webgpu, '@types/node': devDependencies['@types/node'] }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ ...own, dependencies: { ...dependencies, ...peers } }))
  return run('the tarballs install into an empty project', 'npm', ['install', '--no-audit', '--no-fund'], project)
}

function importInNode() {
  for (const entry of importable) {
    const code = `const m = await import('${entry}'); if (Object.keys(m).length === 0) throw new Error('exports nothing'); process.exit(0)`
    run(`Node imports ${entry}`, process.execPath, ['--input-type=module', '-e', code], project)
  }
  for (const { manifest } of packages) {
    for (const [name] of Object.entries(manifest.bin ?? {})) {
      run(`the program ${name} starts`, join(project, 'node_modules', '.bin', name), ['--version'], project)
    }
  }
}

/** A README's example must run as it stands and come to an end by itself. */
function runExamples() {
  placeExampleFiles(project)
  for (const folder of [root, ...packages.map((one) => one.folder)]) {
    const readme = join(folder, 'README.md')
    const name = `the example of ${relative(root, readme)} runs`
    if (!existsSync(readme)) {
      report(name, 'expected a README.md, got none')
      continue
    }
    const code = firstExample(readFileSync(readme, 'utf8'))
    // A program's README shows commands.
    if (code === undefined) continue
    writeFileSync(join(project, 'example.mjs'), code)
    run(name, process.execPath, ['example.mjs'], project)
  }
}

/** Code of the guides that stands in a project of the user's own, on the device that the project gets. */
const fromGuides = [
  {
    what: 'the op of the guide', guide: 'new-op', file: 'cumsum/cumsum.ts',
    use: `
import { Device, gradients, tensor } from '@antipode/core'
import { runningSum } from './cumsum.mjs'
const device = await Device.request()
const x = tensor(device, [1, 2, 3, 4], [2, 2])
const [y] = runningSum([x], { reverse: false })
const [dx] = gradients(y.square().sum(), [x])
export const got = [...await y.data(), ...await dx.data()].join()
export const expected = '1,3,3,7,8,6,20,14'
`,
  },
  {
    what: 'the layer of the guide', guide: 'extending', file: 'acme/factorised-linear.ts',
    use: `
import { Device, tensor } from '@antipode/core'
import { Linear, mapModules, Module } from '@antipode/core/nn'
import { FactorisedLinear } from './factorised-linear.mjs'
const device = await Device.request()
class Model extends Module {
  layer = new Linear(tensor(device, [1, 2, 3, 4], [2, 2]), tensor(device, [5, 6]))
  forward(x) { return this.layer.forward(x) }
}
const one = tensor(device, [1, 0, 0, 1], [2, 2])
const model = mapModules(new Model(), (layer) => (layer instanceof Linear ? FactorisedLinear.of(layer, (weight) => [weight, one]) : layer))
export const got = [model.layer instanceof FactorisedLinear, ...await model.forward(tensor(device, [1, -1], [1, 2])).data()].join()
export const expected = 'true,4,5'
`,
  },
]

function runGuides() {
  for (const { what, guide, file, use } of fromGuides) {
    const name = `${what} runs outside the repository`
    const page = readFileSync(join(root, 'docs/guides', `${guide}.md`), 'utf8')
    const code = tsBlocks(page).find(({ path }) => path === file)?.code
    if (code === undefined) {
      report(name, `expected a block that begins with // ${file}, got none`)
      continue
    }
    const module = file.split('/').at(-1).replace(/\.ts$/, '.mjs')
    writeFileSync(join(project, module), stripTypes(code))
    const check = "if (got !== expected) { console.error('expected ' + expected + ', got ' + got); process.exit(1) }\nprocess.exit(0)\n"
    writeFileSync(join(project, `use-${module}`), use + check)
    run(name, process.execPath, [`use-${module}`], project)
  }
}

/** What users compile with: the last TypeScript of 5 and the one of this repository, with browsers' types and without. */
function checkTypes() {
  const lines = importable.map((entry, i) => `import * as m${i} from '${entry}'\nexport const t${i}: object = m${i}`)
  writeFileSync(join(project, 'consumer.ts'), `${lines.join('\n')}\n`)
  for (const [version, compiler] of [['5.9', 'typescript-5.9'], ['6.0', 'typescript']]) {
    for (const dom of [[], ['dom', 'dom.iterable']]) {
      const options = {
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable', ...dom],
        module: 'nodenext',
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        types: ['node'],
      }
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['consumer.ts'] }))
      const tsc = join(root, 'node_modules', compiler, 'bin/tsc')
      run(`a strict project compiles with TypeScript ${version}, ${dom.length > 0 ? 'with' : 'without'} the types of browsers`, process.execPath, [tsc, '-p', '.'], project)
    }
  }
}

async function main() {
  const built = flags['no-build'] || run('all packages build', bin('pnpm'), ['run', 'build'], root)
  if (built) {
    packAll()
    if (installAll()) {
      importInNode()
      runExamples()
      runGuides()
      checkTypes()
      // Programs and what reads pairs from the disk are for Node.
      const forNode = ['@antipode/npo/studies', '@antipode/pipelines/training']
      const inBrowser = importable.filter((entry) => !entry.startsWith('@antipode/cli') && !forNode.includes(entry))
      for (const { name, problem } of await loadPage(project, inBrowser)) report(name, problem)
    }
  }
  if (flags.keep) console.log(`kept ${project}`)
  else rmSync(project, { recursive: true, force: true })
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

await main()
