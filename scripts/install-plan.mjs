// Which commands install what is missing, on Debian and its relatives. They are shown as they are run.

import { spawnSync } from 'node:child_process'
import { debianMirror, hasSuite } from './apt-sources.mjs'

/** @typedef {'adapter' | 'browser' | 'queue'} Part what the set-up may find missing */
/** @typedef {{ args: string[], input?: string }} Step a command, and what it reads */

/**
 * The steps that install the parts, all of them as root; none where apt cannot.
 * Debian 12 has Mesa 22.3, which lacks features that Dawn requires, so there the drivers come from bookworm-backports.
 * Ubuntu's chromium is a stub that installs a snap, which tests cannot drive.
 * @param {readonly Part[]} missing
 * @param {import('./system.mjs').System} system
 * @returns {Step[]}
 */
export function installSteps(missing, { apt, distributions, codename, sources, keyring }) {
  const [distribution] = distributions
  if (!apt || !distributions.includes('debian')) return []
  const adapter = missing.includes('adapter')
  const browser = missing.includes('browser') && distribution !== 'ubuntu'
  const queue = missing.includes('queue')
  if (!adapter && !browser && !queue) return []
  const backports = distribution === 'debian' && codename === 'bookworm' ? 'bookworm-backports' : undefined
  const adds = adapter && backports && !hasSuite(sources, backports)
  const install = (suite, ...packages) => aptGet('install', '-q', '-y', '--no-install-recommends', ...(suite ? ['-t', suite] : []), ...packages)
  return [
    ...(adds ? [addSuite(backports, debianMirror(sources, codename), keyring)] : []),
    aptGet('update', '-q'),
    ...(adapter ? [install(backports, 'mesa-vulkan-drivers', 'libvulkan1')] : []),
    ...(browser ? [install(undefined, 'chromium')] : []),
    ...(queue ? [install(undefined, 'redis-server')] : []),
  ]
}

function addSuite(suite, mirror, keyring) {
  const signed = keyring === undefined ? '' : `[signed-by=${keyring}] `
  return { args: ['tee', `/etc/apt/sources.list.d/${suite}.list`], input: `deb ${signed}${mirror} ${suite} main` }
}

function aptGet(...args) {
  // Another package manager may be at work, as on a machine that has just started: wait for it.
  return { args: ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=300', ...args] }
}

/** A step as it is typed at a shell. */
export function shellText({ args, input }, { root }) {
  const command = [...(root ? [] : ['sudo']), ...args].join(' ')
  return input === undefined ? command : `echo '${input}' | ${command}`
}

/**
 * Runs the steps, and stops at one that fails. Somebody who attends may be asked for a password.
 * @returns {string | undefined} the step that failed, as it is typed
 */
export function runSteps(steps, system, { attended, say }) {
  const sudo = system.root ? [] : attended ? ['sudo'] : ['sudo', '-n']
  return steps.map((step) => ({ ...step, text: shellText(step, system) })).find(({ args, input, text }) => {
    say(text)
    const [program, ...rest] = [...sudo, ...args]
    // stdout becomes stderr, to leave it to the command that set-up runs for; what is read comes back from tee and was just said.
    const stdio = input === undefined ? ['ignore', 2, 2] : ['pipe', 'ignore', 2]
    return spawnSync(program, rest, { stdio, ...(input === undefined ? {} : { input: `${input}\n` }) }).status !== 0
  })?.text
}
