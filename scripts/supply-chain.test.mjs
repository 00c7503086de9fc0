import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (...path) => readFileSync(join(root, ...path), 'utf8')
const manifestOf = (...path) => JSON.parse(read(...path, 'package.json'))

describe.each(readdirSync(join(root, 'packages')))('the package %s', (name) => {
  const manifest = manifestOf('packages', name)

  test('runs nothing when it is installed', () => {
    for (const script of ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare', 'prepublish']) expect(manifest.scripts ?? {}).not.toHaveProperty(script)
    // npm would compile what this describes.
    expect(existsSync(join(root, 'packages', name, 'binding.gyp'))).toBe(false)
  })

  test('is published from its folder of the repository, with its provenance', () => {
    expect(manifest.repository).toEqual({ ...manifestOf().repository, directory: `packages/${name}` })
    expect(manifest.publishConfig).toEqual({ access: 'public', provenance: true })
  })

  test('depends on registry versions alone', () => {
    const ranges = Object.values({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies })
    for (const range of ranges) expect(range).toMatch(/^(workspace:\^|>=)?[\d.]*$/)
  })
})

test('the package manager is the one that set-up installs with, by the hash that the lockfile has', () => {
  const { packageManager, devDependencies } = manifestOf()
  const [, integrity] = new RegExp(`\\n {2}pnpm@${devDependencies.pnpm}:\\n +resolution: {integrity: sha512-(\\S+)}`).exec(read('pnpm-lock.yaml'))
  expect(packageManager).toBe(`pnpm@${devDependencies.pnpm}+sha512.${Buffer.from(integrity, 'base64').toString('hex')}`)
})

test('releases are a week old before they are resolved, and come from the registry', () => {
  const settings = read('pnpm-workspace.yaml')
  expect(settings).toMatch(/^minimumReleaseAge: 10080$/m)
  expect(settings).toMatch(/^blockExoticSubdeps: true$/m)
  expect(read('pnpm-lock.yaml')).not.toMatch(/resolution: {(?!integrity: )/)
})

test('native parts are locked for every system that the packages run on', () => {
  const lock = read('pnpm-lock.yaml')
  for (const name of ['@rollup/rollup', '@rolldown/binding', '@oxlint/binding', '@esbuild/']) {
    for (const system of ['darwin-arm64', 'win32-x64', 'linux-x64']) expect(lock, name).toMatch(new RegExp(`'${name}-?${system}[^']*@`))
  }
})

test('the peers of the benchmarks are locked, each by its hash', () => {
  const { packages } = JSON.parse(read('benchmarks', 'peers', 'package-lock.json'))
  expect(packages['']).toMatchObject({ dependencies: manifestOf('benchmarks', 'peers').dependencies })
  for (const [path, { integrity }] of Object.entries(packages)) if (path !== '') expect(integrity, path).toMatch(/^sha512-/)
  expect(manifestOf().scripts['bench:peers']).toMatch(/^npm ci .*--ignore-scripts/)
})
