// Makes a fresh clone ready to run: packages, a WebGPU adapter and, with --browser, a Chromium.
// Plain Node with no dependency, because it runs before there are any. All messages go to stderr, so that a
// command's own --json output stays clean. When nothing is missing it takes a fraction of a second.
//
//   node scripts/setup.mjs [--browser] [--dry-run]
//
// --dry-run says what is missing and how to get it, and installs nothing. Packages of the system need root: a person at a
// terminal is shown the commands and asked once; without one, or with CI or ANTIPODE_SETUP=yes, they run at once.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumPath } from './chromium.mjs'
import { agrees, asks } from './consent.mjs'
import { installAdvice } from './install-advice.mjs'
import { installSteps, runSteps, shellText } from './install-plan.mjs'
import { mayBecomeRoot, thisSystem } from './system.mjs'

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

const parts = {
  adapter: { name: 'a WebGPU adapter', found: findAdapter },
  browser: { name: 'a Chromium for the browser tests', found: chromiumPath },
  // Its tests skip themselves without it.
  queue: { name: 'a Redis-compatible server for the tests of queues', found: () => capture('redis-server', ['--version']), optional: true },
}

requireNode()
installPackages()
try {
  await installParts(flags.includes('--browser') ? ['adapter', 'browser', 'queue'] : ['adapter'])
} catch (error) {
  if (!(error instanceof RangeError)) throw error
  stop(error.message, [])
}

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

function named(some) {
  return `${some.map((part) => parts[part].name).join(' and ')} ${some.length === 1 ? 'was' : 'were'}`
}

/** Installs what is missing of the system's packages, all at once, so that a person is asked once. */
async function installParts(wanted) {
  const missing = () => wanted.filter((part) => !parts[part].found())
  const before = missing()
  if (before.length === 0) return
  const needed = (some) => some.filter((part) => !parts[part].optional)
  const problem = `${named(before)} not found`
  const system = thisSystem()
  const steps = installSteps(before, system)
  const attended = asks({ stdin: process.stdin, stderr: process.stderr, env: process.env })
  if (dryRun || steps.length === 0 || !mayBecomeRoot(system, attended)) {
    if (needed(before).length === 0) return say(`${problem}.`)
    stop(`${problem}.`, installAdvice(before, system))
  }
  say(attended ? `${problem}. These commands install what is missing:` : `${problem}: installing what is missing`)
  if (attended) {
    for (const step of steps) console.error(`  ${shellText(step, system)}`)
    const agreed = await agrees('Run them now? [Y/n] ', { input: process.stdin, output: process.stderr })
    if (!agreed) stop('nothing was installed.', installAdvice(before, system))
  }
  const failed = runSteps(steps, system, { attended, say })
  const after = missing()
  for (const part of before) if (!after.includes(part)) say(`${parts[part].name}: ${parts[part].found()}`)
  if (needed(after).length === 0) return
  stop(failed ? `failed: ${failed}; the cause is printed above.` : `${named(after)} not found still.`, installAdvice(after, system))
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
