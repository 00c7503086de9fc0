import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Rng } from '@antipode/core/random'
import { pick } from './mutate.ts'

const lies = [
  'none', 'none', 'none', 'none', 'short', 'long', 'size', 'huge', 'offset', 'status', 'whole', 'hang up', 'header', 'changed', 'gzip', 'silent',
] as const

const silenceMs = 100

/** A server on this machine that serves files by ranges and lies about half of the time. */
export class LyingServer implements AsyncDisposable {
  readonly #server: Server
  readonly #files = new Map<string, { bytes: Uint8Array; random: Rng; honest: boolean }>()
  /** Called with the bytes of each answer that a reader must believe in, before it is sent. */
  onAsked: (bytes: number) => void = () => undefined
  /** The largest size it has claimed for a file since this was last set. */
  claimed = 0

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(decodeURIComponent(request.url ?? '').slice(1), request.headers.range ?? '', response)
    })
  }

  static async listen(): Promise<LyingServer> {
    const self = new LyingServer()
    await new Promise<void>((done) => self.#server.listen(0, '127.0.0.1', done))
    return self
  }

  /** Serves these files alone from now on. */
  serve(files: ReadonlyMap<string, Uint8Array>, random: Rng): string {
    this.#files.clear()
    const honest = random.int(2) === 0
    for (const [name, bytes] of files) this.#files.set(name, { bytes, random, honest })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/` // a port, not a pipe
  }

  #answer(name: string, range: string, response: ServerResponse): void {
    const file = this.#files.get(name)
    if (!file) return void response.writeHead(404).end()
    const { bytes, random, honest } = file
    const lie = honest ? 'none' : pick(random, lies)
    const [from = 0, to = 0] = range.slice('bytes='.length).split('-').map(Number)
    if (lie === 'hang up') return void response.destroy()
    // Longer than a reader bears that was told a timeout; others see a broken connection.
    if (lie === 'silent') return void setTimeout(() => { response.destroy() }, silenceMs)
    if (lie === 'status') return void response.writeHead(pick(random, [200, 204, 302, 403, 416, 500])).end()
    if (lie === 'whole') return void response.writeHead(200).end(bytes)
    if (from >= bytes.length) return void response.writeHead(416).end()
    const size = lie === 'size' ? random.int(2 * bytes.length + 1) : lie === 'huge' ? pick(random, [2 ** 40, 2 ** 53, 2 ** 60]) : bytes.length
    this.claimed = Math.max(this.claimed, size)
    const end = Math.min(to + 1, size)
    this.onAsked(Math.min(to + 1, Math.max(size, bytes.length)) - from)
    const headers: Record<string, string> = { 'content-range': `bytes ${lie === 'offset' ? from + 1 : from}-${end - 1}/${size}`, etag: '"1"' }
    if (lie === 'header') headers['content-range'] = pick(random, ['', 'bytes */9', 'bytes 0-0/-1', 'bytes 0-0/0', 'bytes 0-9/99999999999999999999', 'lines 0-9/10'])
    if (lie === 'changed') headers['etag'] = `"${random.int(3)}"`
    if (lie === 'gzip') headers['content-encoding'] = 'gzip'
    const body = Buffer.from(bytes.subarray(from, Math.min(to + 1, bytes.length)))
    response.writeHead(206, headers)
    if (lie === 'short') response.end(body.subarray(0, random.int(body.length + 1)))
    else response.end(lie === 'long' ? Buffer.concat([body, body]) : body)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }
}
