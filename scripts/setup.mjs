// Makes a fresh clone ready to run: packages, a WebGPU adapter and, with --browser, a Chromium.
// Plain Node with no dependency, because it runs before there are any. All messages go to stderr, so that a
// command's own --json output stays clean. When nothing is missing it takes a fraction of a second.
//
//   node scripts/setup.mjs [--browser] [--dry-run]
//
// --dry-run says what is missing and how to get it, and installs nothing.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installChromium, installVulkan, mayInstall } from './apt.mjs'
import { chromiumPath } from './chromium.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const flags = process.argv.slice(2)
const dryRun = flags.includes('--dry-run')
const say = (message) => console.error(`set-up: ${message}`)

function stop(problem, advice) {
  say(problem)
  for (const line of advice) console.error(`  ${line}`)
  process.exit(1)
}

const known = ['--browser', '--dry-run']
for (const flag of flags) {
  if (!known.includes(flag)) stop(`expected only ${known.join(' and ')}, got ${flag}.`, [])
}

requireNode()
installPackages()
requireAdapter()
if (flags.includes('--browser')) requireBrowser()

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  stop(`expected Node 20.19 or later, got ${process.versions.node}.`, ['Install it from https://nodejs.org and retry.'])
}

/** Installs exactly what the lockfile says, unless the last installation here was of the same lockfile. */
function installPackages() {
  const stamp = join(root, 'node_modules', '.antipode-setup')
  const hash = createHash('sha256')
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)))
  const wanted = hash.digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.pnpm
  const install = ['install', '--frozen-lockfile']
  if (dryRun) stop('the packages are not installed.', [`Run: npx -y pnpm@${version} ${install.join(' ')}`])
  say('installing the packages of the lockfile (once; a minute or less)')
  const own = capture('pnpm', ['--version']) === version
  const [command, args] = own ? ['pnpm', install] : ['npx', ['-y', `pnpm@${version}`, ...install]]
  const { status } = spawnSync(command, args, {
    cwd: root,
    // stdout becomes stderr: see the head of this file.
    stdio: ['ignore', 2, 2],
    // Without a terminal pnpm would stop to ask before it replaces an outdated node_modules.
    env: { ...process.env, CI: 'true' },
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    stop(`installing the packages failed (${command} ${args.join(' ')}).`, [
      'The cause is printed above; most often the npm registry could not be reached. Then run the command again.',
    ])
  }
  writeFileSync(stamp, wanted)
}

/** Finds a WebGPU adapter in a child process, since a failing driver may take its process along. */
function findAdapter() {
  return capture(process.execPath, [join(root, 'scripts', 'probe-adapter.mjs')])
}

function requireAdapter() {
  const found = findAdapter()
  if (found) return
  if (dryRun || !mayInstall()) stop('no WebGPU adapter was found.', adapterAdvice())
  say('no WebGPU adapter was found: installing the software adapter of Mesa (lavapipe)')
  const failure = installVulkan(say)
  const adapter = findAdapter()
  if (!adapter) stop(failure ?? 'Mesa was installed, yet no WebGPU adapter was found.', adapterAdvice())
  say(`adapter: ${adapter}`)
}

function adapterAdvice() {
  if (process.platform !== 'linux') {
    return ['Update the driver of the graphics card: Dawn needs Metal on macOS, Direct3D 12 or Vulkan on Windows.']
  }
  return [
    'Antipode needs a Vulkan driver: that of your GPU, or Mesa 25 or later for its software adapter (lavapipe).',
    'Debian 12, as root:',
    '  echo "deb http://deb.debian.org/debian bookworm-backports main" > /etc/apt/sources.list.d/backports.list',
    '  apt-get update && apt-get install -y -t bookworm-backports mesa-vulkan-drivers libvulkan1',
    'Debian 13, Ubuntu 24.04 or later, as root:',
    '  apt-get update && apt-get install -y mesa-vulkan-drivers libvulkan1',
    'Fedora, as root:',
    '  dnf install -y mesa-vulkan-drivers vulkan-loader',
    'Then run the command again.',
  ]
}

function requireBrowser() {
  if (chromiumPath()) return
  const advice = [
    'On Debian, as root: apt-get update && apt-get install -y chromium',
    'Elsewhere: install Chromium or Chrome, and set ANTIPODE_CHROMIUM to the path of its program.',
  ]
  if (dryRun || !mayInstall()) stop('no Chromium was found for the browser tests.', advice)
  say('no Chromium was found for the browser tests: installing the one of the system')
  const failure = installChromium(say)
  if (!chromiumPath()) stop(failure ?? 'Chromium was installed, yet its program was not found.', advice)
}

/** What a command prints, trimmed; undefined if it fails or does not exist. */
function capture(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32' && command !== process.execPath,
  })
  return status === 0 ? stdout.trim() : undefined
}
