#!/usr/bin/env node
import { commands } from './commands.ts'
import { packageVersion } from './package-version.ts'
import { run } from './run.ts'

// A reader that has seen enough, as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const code = await run(process.argv.slice(2), {
  commands,
  version: packageVersion('@antipode/cli') ?? 'unknown',
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  exit: (code) => { process.exit(code) },
  now: () => performance.now() / 1000,
})
// Dawn would keep the process alive. The empty write ends when everything before it has been written.
process.stdout.write('', () => { process.exit(code) })
