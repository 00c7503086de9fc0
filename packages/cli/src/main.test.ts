import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const program = ['--conditions=@antipode/source', '--import', 'tsx', `${import.meta.dirname}/main.ts`]

test.runIf(existsSync('/dev/full'))('a process whose output finds no room ends with 1 and says so', () => {
  const full = openSync('/dev/full', 'w')
  try {
    const { status, stderr } = spawnSync(process.execPath, [...program, '--version'], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
    expect(stderr).toMatch(/^error: the output cannot be written: ENOSPC/)
    expect(status).toBe(1)
  } finally {
    closeSync(full)
  }
})

test('what reads the command line loads none of what commands run with, so that help and mistakes are answered at once', () => {
  const light = ['@antipode/core/options', '@antipode/core/io']
  const seen = new Set<string>()
  const visit = (file: string): string[] => {
    if (seen.has(file)) return []
    seen.add(file)
    const loaded = [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^']*? from '([^']+)'/gm)].map(([, name = '']) => name)
    const ours = loaded.filter((name) => name.startsWith('@antipode/') && !light.includes(name))
    const next = loaded.filter((name) => name.startsWith('.')).map((path) => resolve(dirname(file), path))
    return [...ours.map((name) => `${relative(import.meta.dirname, file)} loads ${name}`), ...next.flatMap(visit)]
  }
  expect(visit(`${import.meta.dirname}/program.ts`)).toEqual([])
  expect(seen.size).toBeGreaterThan(10)
})
