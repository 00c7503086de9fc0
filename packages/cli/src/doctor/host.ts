import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { packageVersion } from '../package-version.ts'
import type { HostReport } from './doctor-report.ts'

/** What advice about drivers depends on. */
export interface Situation {
  readonly platform: string
  readonly arch: string
  /** `ID` and `ID_LIKE` of /etc/os-release, as ['ubuntu', 'debian']; empty elsewhere. */
  readonly distributions: readonly string[]
  /** `VERSION_ID` of /etc/os-release, as '12'; '' elsewhere. */
  readonly release: string
  /** Version of the package of Mesa's Vulkan drivers, where Debian's package manager knows one. */
  readonly mesa: string | undefined
  /** Whether the kernel driver of NVIDIA is at work here. */
  readonly nvidia: boolean
}

/** Describes the machine this runs on. */
export function describeHost(): HostReport {
  const release = osRelease()
  return {
    system: release['PRETTY_NAME'] ?? `${os.type()} ${os.release()}`,
    platform: process.platform,
    arch: process.arch,
    processor: os.cpus()[0]?.model.trim() ?? '',
    cores: os.availableParallelism(),
    memory: os.totalmem(),
    freeMemory: os.freemem(),
    node: process.versions.node,
    packages: Object.fromEntries(['@antipode/cli', '@antipode/core', 'webgpu'].map((name) => [name, packageVersion(name)])),
  }
}

/** What is known about drivers on this machine. */
export function describeSituation(): Situation {
  const release = osRelease()
  return {
    platform: process.platform,
    arch: process.arch,
    distributions: `${release['ID'] ?? ''} ${release['ID_LIKE'] ?? ''}`.split(' ').filter((id) => id !== ''),
    release: release['VERSION_ID'] ?? '',
    mesa: debianVersion('mesa-vulkan-drivers'),
    nvidia: existsSync('/dev/nvidiactl'),
  }
}

/** The variables of /etc/os-release; none on systems without it. */
function osRelease(): Record<string, string> {
  if (!existsSync('/etc/os-release')) return {}
  return parseRelease(readFileSync('/etc/os-release', 'utf8'))
}

/** Reads lines such as `ID=debian` and `VERSION_ID="12"`. */
export function parseRelease(text: string): Record<string, string> {
  const lines = text.matchAll(/^([A-Z_]+)=(["']?)(.*)\2$/gm)
  return Object.fromEntries([...lines].map(([, key = '', , value = '']) => [key, value]))
}

function debianVersion(name: string): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const query = ['-W', '--showformat=${Version}', name]
    const version = execFileSync('dpkg-query', query, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return version === '' ? undefined : version
  } catch {
    // No dpkg here, or no such package.
    return undefined
  }
}
