// Runs the command line of packages/cli from its sources, with every argument passed on.

import { spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const main = join(root, 'packages', 'cli', 'src', 'main.ts')
const tsx = new URL(import.meta.resolve('tsx')).href

const child = spawn(
  process.execPath,
  ['--conditions=@antipode/source', '--import', tsx, main, ...process.argv.slice(2)],
  { stdio: 'inherit' },
)

// Ctrl-C reaches the whole process group by itself; this process only has to outlive the child, which may be saving
// a checkpoint. Signals sent to this process alone are handed on.
process.on('SIGINT', () => {
  if (!process.stdin.isTTY) child.kill('SIGINT')
})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))

child.on('error', (error) => {
  console.error(`antipode: could not start Node: ${error.message}`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})
