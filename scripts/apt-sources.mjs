// What apt's files of sources say: where Debian comes from on this machine, and which of its suites are there already.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {{ uri: string, suites: string[], components: string[] }} Source one place that packages come from */

/** All sources of this machine that are switched on. @returns {Source[]} */
export function readSources(apt = '/etc/apt') {
  const folder = join(apt, 'sources.list.d')
  const names = existsSync(folder) ? readdirSync(folder).sort().map((name) => join(folder, name)) : []
  return [join(apt, 'sources.list'), ...names].filter(existsSync).flatMap((file) => {
    if (file.endsWith('.list')) return parseLines(readFileSync(file, 'utf8'))
    return file.endsWith('.sources') ? parseStanzas(readFileSync(file, 'utf8')) : []
  })
}

/** Lines such as `deb [signed-by=KEY] URI suite component …`; see sources.list(5). */
export function parseLines(text) {
  return [...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)([^\n#]*)/gm)].map(([, uri, suite, rest]) => ({ uri, suites: [suite], components: words(rest) }))
}

/** Stanzas of fields, as `URIs: …`, with lines that begin with a space going on; see sources.list(5) on deb822. */
export function parseStanzas(text) {
  return text.replaceAll(/^#.*\n?/gm, '').split(/\n\s*\n/).flatMap((stanza) => {
    const fields = Object.fromEntries([...stanza.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gm)].map(([, name, value]) => [name.toLowerCase(), words(value)]))
    if (!fields.types?.includes('deb') || /^(no|false|off|0)$/i.test(fields.enabled?.[0] ?? '')) return []
    return (fields.uris ?? []).map((uri) => ({ uri, suites: fields.suites ?? [], components: fields.components ?? [] }))
  })
}

const words = (text) => text.split(/\s+/).filter((word) => word !== '')

/** Whether a suite is among the sources. */
export function hasSuite(sources, suite) {
  return sources.some(({ suites }) => suites.includes(suite))
}

/**
 * Where this machine gets Debian itself from; Debian's own address if its sources do not tell. Others name their repositories
 * alike (`https://download.docker.com/linux/debian bookworm stable`), and some have a `main` for the same release, so a mirror
 * is known by what only Debian has: the release's updates beside it, or Debian's own host.
 */
export function debianMirror(sources, codename) {
  const main = sources.filter(({ suites, components }) => suites.includes(codename) && components.includes('main'))
  const updated = main.find(({ uri }) => sources.some((other) => other.uri === uri && other.suites.includes(`${codename}-updates`)))
  const own = main.find(({ uri }) => /^https?:\/\/([\w-]+\.)*debian\.org\//.test(uri))
  return (updated ?? own)?.uri ?? 'http://deb.debian.org/debian'
}
