import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { thisSystem } from './system.mjs'

const setup = join(import.meta.dirname, 'setup.mjs')

/**
 * Runs the set-up where no driver is found and apt-get, tee and sudo only write down what they were asked. With something
 * typed it runs at a terminal of its own.
 */
function runSetup(typed) {
  const folder = mkdtempSync(join(tmpdir(), 'antipode-setup-'))
  onTestFinished(() => { rmSync(folder, { recursive: true }) })
  const [bin, log] = [join(folder, 'bin'), join(folder, 'log')]
  mkdirSync(bin)
  for (const name of ['apt-get', 'tee', 'sudo']) {
    writeFileSync(join(bin, name), `#!/bin/sh\n[ "$1" = --version ] || [ "$1 $2" = '-n true' ] || echo "${name} $*" >> '${log}'\n`, { mode: 0o755 })
  }
  const { CI: _ci, ANTIPODE_SETUP: _setup, ...inherited } = process.env
  const options = {
    encoding: 'utf8', timeout: 60_000, input: typed ?? '',
    env: { ...inherited, PATH: `${bin}:${process.env.PATH}`, VK_DRIVER_FILES: '/nonexistent', VK_ICD_FILENAMES: '/nonexistent' },
  }
  const { status, stdout, stderr } = typed === undefined
    ? spawnSync(process.execPath, [setup], options)
    : spawnSync('script', ['-qec', `'${process.execPath}' '${setup}'`, '/dev/null'], options)
  return { status, said: `${stdout}${stderr}`, ran: existsSync(log) ? readFileSync(log, 'utf8').replaceAll('sudo -n ', 'sudo ').trim().split('\n') : [] }
}

// The adapter of a machine without a Vulkan loader, or with another kind of driver, cannot be hidden so.
const { apt, distributions } = thisSystem()
const suitable = apt && distributions.includes('debian') && spawnSync('script', ['--version']).status === 0

test.runIf(suitable)('a person at a terminal is asked once, and no installs nothing', () => {
  const { status, said, ran } = runSetup('n\n')
  expect(ran).toEqual([])
  expect(said.match(/\[Y\/n\]/g)).toHaveLength(1)
  expect(said).toMatch(/These commands install what is missing:\s.*apt-get -o DPkg::Lock::Timeout=300 update/s)
  expect(said).toContain('nothing was installed.')
  expect(status).toBe(1)
})

test.runIf(suitable)('Enter is yes, and without a terminal nobody is asked', () => {
  const entered = runSetup('\n')
  expect(entered.said).toContain('[Y/n]')
  expect(entered.ran.at(-1)).toContain('mesa-vulkan-drivers libvulkan1')
  const { said, ran } = runSetup(undefined)
  expect(said).not.toContain('[Y/n]')
  expect(ran).toEqual(entered.ran)
})
