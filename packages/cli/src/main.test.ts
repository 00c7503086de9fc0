import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
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
