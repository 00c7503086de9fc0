// What of this machine decides how system packages are installed on it.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { readSources } from './apt-sources.mjs'

const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * @typedef {object} System
 * @property {string} platform as Node names it
 * @property {string[]} distributions `ID` and `ID_LIKE` of /etc/os-release: ['ubuntu', 'debian']
 * @property {string} codename of the release: 'bookworm'
 * @property {boolean} apt whether there is an apt-get
 * @property {boolean} root whether this process may do anything
 * @property {import('./apt-sources.mjs').Source[]} sources of apt
 * @property {string | undefined} keyring with which Debian signs, where it has a file of its own
 */

/** @returns {System} */
export function thisSystem() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const field = (name) => new RegExp(`^${name}=["']?(.*?)["']?$`, 'm').exec(release)?.[1] ?? ''
  return {
    platform: process.platform,
    distributions: `${field('ID')} ${field('ID_LIKE')}`.split(' ').filter((id) => id !== ''),
    codename: field('VERSION_CODENAME'),
    apt: process.platform === 'linux' && succeeds('apt-get', ['--version']),
    root: process.getuid?.() === 0,
    sources: readSources(),
    keyring: existsSync(debianKeyring) ? debianKeyring : undefined,
  }
}

/** Whether commands may run as root: because this process is, because sudo needs no password, or because somebody can type it. */
export function mayBecomeRoot({ root }, attended) {
  return root || succeeds('sudo', attended ? ['--version'] : ['-n', 'true'])
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}
