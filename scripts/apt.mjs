// Installs system packages on Debian and its relatives. Nothing here asks a question: without the rights it does nothing.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const run = (command, args, options = {}) => spawnSync(command, args, { encoding: 'utf8', ...options })
const isRoot = () => process.getuid?.() === 0

/** Whether this process may install packages: apt-get exists, and it is root or sudo needs no password. */
export function mayInstall() {
  if (process.platform !== 'linux' || run('apt-get', ['--version']).status !== 0) return false
  return isRoot() || run('sudo', ['-n', 'true']).status === 0
}

/**
 * Installs the Vulkan loader and Mesa's drivers. Debian 12 has Mesa 22.3, which lacks features that Dawn requires,
 * so there the packages come from bookworm-backports; later releases bring a Mesa that is new enough.
 * Returns a sentence if a step failed.
 */
export function installVulkan(say) {
  const backports = codename() === 'bookworm' ? 'bookworm-backports' : undefined
  if (backports && !hasSuite(backports)) addSuite(backports, say)
  return install(['mesa-vulkan-drivers', 'libvulkan1'], backports, say)
}

/** Installs Chromium. Returns a sentence if a step failed. */
export function installChromium(say) {
  return install(['chromium'], undefined, say)
}

function install(packages, suite, say) {
  const steps = [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', ...(suite ? ['-t', suite] : []), ...packages],
  ]
  for (const step of steps) {
    // Another package manager may be at work, as on a machine that has just started: wait for it.
    const args = ['-o', 'DPkg::Lock::Timeout=300', ...step]
    say(`apt-get ${step.join(' ')}`)
    if (asRoot('env', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args]).status !== 0) {
      return `apt-get ${step.join(' ')} failed; the cause is printed above.`
    }
  }
  return undefined
}

function asRoot(command, args, options = {}) {
  const [program, all] = isRoot() ? [command, args] : ['sudo', ['-n', command, ...args]]
  // stdout becomes stderr, to leave it to the command that set-up runs for.
  return run(program, all, { stdio: ['ignore', 2, 2], ...options })
}

function codename() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  return /^VERSION_CODENAME=(.*)$/m.exec(release)?.[1]
}

/** All lines of apt's sources that are not comments. */
function sources() {
  const directory = '/etc/apt/sources.list.d'
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => /\.(list|sources)$/.test(name)) : []
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(directory, name))].filter(existsSync)
  return files.flatMap((file) => readFileSync(file, 'utf8').split('\n')).filter((line) => !line.startsWith('#'))
}

function hasSuite(suite) {
  return sources().some((line) => line.includes(suite))
}

/** Adds a Debian suite, from the mirror that this machine already uses. */
function addSuite(suite, say) {
  const mirror = /https?:\/\/\S*\/debian\/?(?=\s|$)/.exec(sources().join('\n'))?.[0] ?? 'http://deb.debian.org/debian'
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : ''
  const file = `/etc/apt/sources.list.d/${suite}.list`
  say(`adding ${suite} to apt's sources (${file})`)
  asRoot('tee', [file], {
    input: `deb ${signed}${mirror} ${suite} main\n`,
    stdio: ['pipe', 'ignore', 2],
  })
}
