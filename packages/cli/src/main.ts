#!/usr/bin/env node
import { commands } from './commands.ts'
import { isUnread, unreadCode } from './output.ts'
import { packageVersion } from './package-version.ts'
import { run } from './run.ts'

// Errors of a stream come as events too, after the callbacks of its writes; without a listener they would end the process.
process.stdout.on('error', () => undefined)
let told = true
process.stderr.on('error', (error) => {
  // Both ends of a pipe to `head`, with 2>&1: nobody waits for the rest.
  if (isUnread(error)) process.exit(unreadCode)
  told = false
})

const code = await run(process.argv.slice(2), {
  commands,
  version: packageVersion('@antipode/cli') ?? 'unknown',
  stdout: {
    write: (text) => new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => { if (error) reject(error); else resolve() })
    }),
  },
  stderr: process.stderr,
  signals: process,
  exit: (code) => { process.exit(code) },
  now: () => performance.now() / 1000,
})
// Dawn would keep the process alive. The empty write ends when everything before it has been written.
process.stderr.write('', () => { process.exit(code === 0 && !told ? 1 : code) })
