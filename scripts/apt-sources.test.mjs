import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { debianMirror, hasSuite, parseLines, parseStanzas, readSources } from './apt-sources.mjs'

const docker = 'deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian bookworm stable\n'
const tailscale = 'deb [signed-by=/usr/share/keyrings/tailscale.gpg] https://pkgs.tailscale.com/stable/debian bookworm main\n'

test('lines give address, suite and components; comments and sources of code give nothing', () => {
  expect(parseLines(`# deb http://old.example/debian bookworm main\n${docker}deb-src http://a.example/debian bookworm main\ndeb http://b.example/debian/ bookworm main contrib # ours\n`)).toEqual([
    { uri: 'https://download.docker.com/linux/debian', suites: ['bookworm'], components: ['stable'] },
    { uri: 'http://b.example/debian/', suites: ['bookworm'], components: ['main', 'contrib'] },
  ])
})

test('stanzas give one source an address, with fields on several lines, and none where they are switched off', () => {
  const text = [
    'Types: deb deb-src', '# a comment between', 'URIs: http://deb.debian.org/debian', ' http://b.example/debian', 'Suites: bookworm', ' bookworm-updates', 'Components: main', '',
    'Types: deb', 'Enabled: no', 'URIs: http://off.example/debian', 'Suites: bookworm-backports', 'Components: main', '',
    'types: deb-src', 'URIs: http://code.example/debian', 'Suites: bookworm', 'Components: main',
  ].join('\n')
  const suites = ['bookworm', 'bookworm-updates']
  expect(parseStanzas(text)).toEqual([
    { uri: 'http://deb.debian.org/debian', suites, components: ['main'] },
    { uri: 'http://b.example/debian', suites, components: ['main'] },
  ])
})

test.each([
  ['its own host, though others come first', `${docker}${tailscale}deb http://ftp.de.debian.org/debian bookworm main\n`, 'http://ftp.de.debian.org/debian'],
  ['a mirror of any name, which has the updates too', `${docker}${tailscale}deb https://mirror.corp.example/apt/debian-remote bookworm main\ndeb https://mirror.corp.example/apt/debian-remote bookworm-updates main\n`, 'https://mirror.corp.example/apt/debian-remote'],
  ['the list of mirrors of a cloud image', `${docker}deb mirror+file:/etc/apt/mirrors/debian.list bookworm main\ndeb mirror+file:/etc/apt/mirrors/debian.list bookworm-updates main\n`, 'mirror+file:/etc/apt/mirrors/debian.list'],
  ['Debian\'s address where others alone are named', `${docker}${tailscale}`, 'http://deb.debian.org/debian'],
  ['Debian\'s address where the host only looks like it', 'deb https://notdebian.org/debian bookworm main\n', 'http://deb.debian.org/debian'],
  ['Debian\'s address where the release is another', 'deb http://ftp.debian.org/debian bullseye main\n', 'http://deb.debian.org/debian'],
])('the mirror is %s', (_, text, mirror) => {
  expect(debianMirror(parseLines(text), 'bookworm')).toBe(mirror)
})

test('sources come from all files that apt reads, and from no others', () => {
  const apt = mkdtempSync(join(tmpdir(), 'apt-'))
  onTestFinished(() => { rmSync(apt, { recursive: true }) })
  expect(readSources(apt)).toEqual([])
  mkdirSync(join(apt, 'sources.list.d'))
  writeFileSync(join(apt, 'sources.list'), 'deb http://a.example/debian bookworm main\n')
  writeFileSync(join(apt, 'sources.list.d', 'b.sources'), 'Types: deb\nURIs: http://b.example\nSuites: bookworm-backports\nComponents: main\n')
  writeFileSync(join(apt, 'sources.list.d', 'c.list'), docker)
  writeFileSync(join(apt, 'sources.list.d', 'd.list.save'), 'deb http://d.example trixie main\n')
  const sources = readSources(apt)
  expect(sources.map(({ uri }) => uri)).toEqual(['http://a.example/debian', 'http://b.example', 'https://download.docker.com/linux/debian'])
  expect([hasSuite(sources, 'bookworm-backports'), hasSuite(sources, 'trixie')]).toEqual([true, false])
})
