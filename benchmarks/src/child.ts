import { createInterface } from 'node:readline'
import { libraries } from './libraries.ts'
import { type Line, type Request, Session } from './run/index.ts'

// A process that holds one library and measures it when asked to: a request a line on stdin, an answer a line on stdout.

const say = (line: Line): void => { process.stdout.write(`${JSON.stringify(line)}\n`) }
const describe = (error: unknown): string => String(error).replaceAll(/\s+/g, ' ').slice(0, 200)

const peer = libraries[process.argv[2] ?? '']
if (!peer) throw new TypeError(`benchmarks: expected one of ${Object.keys(libraries).join(', ')}, got ${process.argv[2]}`)
try {
  const runner = await peer.open()
  const { name, version, adapter, software } = runner
  say({ library: { name, version, adapter, software } })
  const session = new Session(runner)
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request // the parent's own
    if (request.do === 'quit') break
    await session.answer(request).then((reply) => { say({ reply }) }, (error: unknown) => { say({ problem: describe(error) }) })
  }
} catch (error) {
  say({ problem: describe(error) })
}
// Libraries and Dawn keep handles open.
process.exit(0)
