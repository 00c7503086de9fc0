import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CheckpointError, ConfigError } from '@antipode/core'
import { diskCache, type FileCache } from '@antipode/core/io'
import { placeholders } from '@antipode/core/nn'
import { FakeHost } from '@antipode/core/testing'
import { autoencoderKL } from '../registry/index.ts'
import { openCheckpoint, type OpenCheckpoint, type OpenCheckpointOptions } from './index.ts'
import { edited, pipelineFiles } from './testing/index.ts'

const other = new Uint8Array(100)
/** A repository with more than is wanted: two variants, and files of torch beside them. */
const files = edited(pipelineFiles(), {
  'vae/diffusion_pytorch_model.bin': other, 'unet/diffusion_pytorch_model.bin': other,
})

let folder: string
let cache: FileCache
let server: Server
let hubUrl: string
/** What was asked for, with `?` for a look at its first byte alone. */
let asked: string[]
let gated: boolean

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** As much of the hub as a reader meets: the list of files, and files by ranges. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'antipode-hub-'))
  cache = diskCache(folder)
  ;[asked, gated] = [[], false]
  server = createServer(({ url = '', headers: { range = '', authorization } }, response) => {
    const [path = ''] = decodeURIComponent(url).split('?')
    const refused = gated && authorization !== 'Bearer hf_good'
    if (path === '/api/models/owner/name/tree/main') {
      asked.push('list')
      const list = Array.from(files, ([name, bytes]) => ({
        type: 'file', path: name, size: bytes.length, oid: sha256(bytes).slice(0, 40),
        ...(name.endsWith('.safetensors') && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
      }))
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list))
    }
    const name = path.replace('/owner/name/resolve/main/', '')
    const bytes = files.get(name)
    asked.push(range === 'bytes=0-0' ? `${name}?` : name)
    if (!bytes) return response.writeHead(404).end()
    if (refused) return response.writeHead(403).end()
    const [, begin, end] = /bytes=(\d+)-(\d+)/.exec(range) ?? [undefined, '0', String(bytes.length - 1)]
    const part = bytes.subarray(Number(begin), Number(end) + 1)
    const contentRange = `bytes ${begin}-${Number(begin) + part.length - 1}/${bytes.length}`
    const headers = { etag: '"x"', 'content-range': contentRange }
    return response.writeHead(206, headers).end(part)
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // on a port, not a pipe
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((done) => { server.close(done) })
  rmSync(folder, { recursive: true })
})

const open = (source: string, options: OpenCheckpointOptions = {}): Promise<OpenCheckpoint> =>
  openCheckpoint(source, { hubUrl, cache, ...options })

async function loadVae(options: OpenCheckpointOptions = {}): Promise<number> {
  await using checkpoint = await open('hf:owner/name', options)
  const { config, weights } = checkpoint.component('vae')
  const state = await weights()
  const vae = autoencoderKL.build(placeholders(new FakeHost()), config, [...state.names()].length)
  await vae.load(autoencoderKL.names!(state))
  return vae.parameterCount
}

const weightsAsked = (): string[] => asked.filter((name) => /weights|\.(safetensors|bin)\??$/.test(name))

test('of a repository those files alone are fetched that are wanted, once, and offline then', async () => {
  const count = await loadVae({ variant: 'fp16' })
  const vae = 'vae/diffusion_pytorch_model.fp16.safetensors'
  expect(weightsAsked()).toEqual([`${vae}?`, vae])
  expect(asked.filter((name) => name === 'list')).toHaveLength(1)
  asked = []
  expect(await loadVae({ variant: 'fp16' })).toBe(count)
  expect(asked).toEqual(['list'])
  asked = []
  expect(await loadVae({ variant: 'fp16', offline: true })).toBe(count)
  expect(asked).toEqual([])
  await using checkpoint = await open('hf:owner/name', { offline: true })
  await expect(checkpoint.component('unet').weights()).rejects.toThrow(CheckpointError)
})

test('without a cache it is read all the same, one file or folder of it too', async () => {
  expect(await loadVae({ variant: 'fp16', cache: false })).toBeGreaterThan(0)
  await using vae = await open('hf:owner/name@main/vae', { cache: false })
  expect(vae.className).toBe('AutoencoderKL')
  expect(await cache.list()).toEqual([])
  const none = open('hf:owner/name/none.safetensors')
  await expect(none).rejects.toThrow('expected none.safetensors in hf:owner/name@main')
})

test('who may not read it is told to pass a token, and with it may', async () => {
  gated = true
  await expect(loadVae()).rejects.toThrow('got no permission; accept its terms on its page, and pass a token')
  expect(await cache.list()).not.toContainEqual(expect.objectContaining({ complete: true }))
  expect(await loadVae({ variant: 'fp16', token: 'hf_good' })).toBeGreaterThan(0)
})

test('what is not there, no address of the hub, and options of the hub for other places are told apart', async () => {
  await expect(open('hf:owner/other')).rejects.toThrow('expected hf:owner/other@main on the hub, got none')
  await expect(open('hf:name')).rejects.toThrow('expected hf:owner/name, and a path in it, got "hf:name"')
  await expect(openCheckpoint(folder, { token: 'hf_good' })).rejects.toThrow(ConfigError)
  await expect(open('hf:owner/name', { offline: true, cache: false })).rejects.toThrow('expected a cache')
  server.closeAllConnections()
  await new Promise((done) => { server.close(done) })
  const alone = open('hf:owner/name')
  await expect(alone).rejects.toThrow('check the network, or read what the cache has with offline: true')
  server.listen(0)
})

test('an abort while it loads ends it', async () => {
  const controller = new AbortController()
  const loading = loadVae({ signal: controller.signal, onProgress: () => { controller.abort(new Error('enough')) } })
  await expect(loading).rejects.toThrow('enough')
})
