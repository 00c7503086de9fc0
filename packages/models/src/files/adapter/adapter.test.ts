import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CheckpointError, ConfigError, type Tensor, type Backend } from '@antipode/core'
import { encodeSafetensors, readSafetensors, type SafetensorsDType } from '@antipode/core/io'
import { adapterAlphas, adapterParameters, addAdapter, Conv2d, fullDelta, Linear, lora, Module, placeholders, randomParameters, setAdapter } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { type UNet2DConfig, UNet2DConditionModel } from '../../unet/index.ts'
import golden from './adapters.golden.json' with { type: 'json' }
import { loadAdapter, saveAdapter } from './index.ts'
import { fileBeside } from './file-beside.ts'
import { layerPattern } from './layer-pattern.ts'

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'antipode-adapters-')) })
afterAll(async () => { await rm(folder, { recursive: true }) })

type Shapes = Readonly<Record<string, readonly number[]>>
interface Stored {
  readonly tensors: Shapes
  readonly metadata?: Readonly<Record<string, string>>
  readonly alphas?: Readonly<Record<string, number>>
  readonly dtype?: SafetensorsDType
}

const bytesOf: Partial<Record<SafetensorsDType, number>> = { F32: 4, F16: 2, F64: 8, I64: 8, F8_E4M3: 1 }

/** A file of these shapes with numbers by formula; of zeros where the dtype is not F32. */
async function fileOf({ tensors, metadata = {}, alphas = {}, dtype = 'F32' }: Stored): Promise<Uint8Array<ArrayBuffer>> {
  const host = new FakeHost()
  const entries = await Promise.all(Object.entries(tensors).map(async ([name, shape]) => {
    const t = waveParameter(host, name, shape)
    const data = dtype === 'F32' ? Float32Array.from(interpret([t])[0] ?? []) : new Uint8Array(t.size * (bytesOf[dtype] ?? 4))
    return { name, dtype, shape, data }
  }))
  const numbers = Object.entries(alphas).map(([name, value]) => ({ name, dtype: 'F32' as const, shape: [], data: Float32Array.of(value) }))
  return encodeSafetensors([...entries, ...numbers], metadata)
}

/** Two layers that carry adapters, and a host that counts what it holds. */
class Pair extends Module {
  readonly first: Linear
  readonly second: Conv2d
  constructor(host: Backend) {
    super()
    const init = randomParameters(host, { seed: 1 })
    this.first = Linear.of(init, 3, 2)
    this.second = Conv2d.of(init, 3, 4, 3)
  }
}

const shapes: Shapes = { 'first.lora_A.weight': [2, 3], 'first.lora_B.weight': [2, 2], 'second.lora_A.weight': [4, 3, 3, 3], 'second.lora_B.weight': [4, 4, 1, 1] }
const peft = (fields: Readonly<Record<string, unknown>> = {}): Record<string, string> => ({
  lora_adapter_metadata: JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 3, rank_pattern: { second: 4 }, ...fields }),
})
const load = async (stored: Partial<Stored>, options?: object): Promise<Map<string, number>> => {
  const model = new Pair(new FakeHost())
  await loadAdapter(model, await fileOf({ tensors: shapes, ...stored }), { name: 'a', ...options })
  return adapterAlphas(model, 'a')
}

test.each(golden.cases)('an adapter $name has the strength and the output that it has there, in float64', async (stored) => {
  const host = new FakeHost()
  const model = new UNet2DConditionModel(placeholders(host), golden.config as unknown as UNet2DConfig)
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)])))
  // Beside a configuration, as PEFT writes it, where there is one.
  const path = join(await mkdtemp(join(folder, 'golden-')), 'adapter_model.safetensors')
  await writeFile(path, await fileOf(stored as unknown as Stored))
  if ('config' in stored) await writeFile(join(path, '../adapter_config.json'), JSON.stringify(stored.config))
  await loadAdapter(model, path, { name: 'a' })
  const parameters = adapterParameters(model, 'a')
  const strengths = [...adapterAlphas(model, 'a')].map(([layer, alpha]) => [layer, alpha / (parameters.get(`${layer}.lora_A.weight`)?.shape[0] ?? 0)])
  expect(Object.fromEntries(strengths)).toEqual(Object.fromEntries(Object.entries(stored.strengths).map(([layer, s]) => [layer, expect.closeTo(s, 12)])))
  const [sample, context] = [waves(host, 'input.sample', [1, 2, 4, 4], 0, 1), waves(host, 'input.ctx', [1, 3, 6], 0, 1)]
  const [out = []] = interpret([model.with({ a: 1 }).forward(sample, 500, { context })])
  stored.output.first8.forEach((want, i) => { expect(out[i]).toBeCloseTo(want, 5) })
  expect([...out].reduce((sum, v) => sum + Math.abs(v), 0) / out.length).toBeCloseTo(stored.output.absSum / out.length, 6)
  expect(Math.abs(stored.output.absSum - golden.plain.absSum)).toBeGreaterThan(0.1)
})

test('patterns match the layers that PEFT matches', () => {
  for (const [key, layers] of Object.entries(golden.patterns)) {
    expect(golden.names.filter((name) => layerPattern(key)?.(name)), key).toEqual(layers)
  }
})

test.each(['a{2}', '(?P<x>a)', '(a|b)+', '(a', 'a)', '*a', 'a++', '[z-a]', '\\Aa', '^a|b', 'a$b', 'a'.repeat(501), '(a|b)'.repeat(7), '('.repeat(400)])('the pattern %s is not understood', (key) => {
  expect(layerPattern(key)).toBeUndefined()
})

test('a pattern made to keep a backtracking engine busy is answered at once', () => {
  const matches = layerPattern('.*'.repeat(200) + 'x')
  expect(matches?.('down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q'.repeat(4))).toBe(false)
})

test('every form of alpha is read, for each layer', async () => {
  const rank = [['first', 2], ['second', 4]]
  expect([...await load({})]).toEqual(rank)
  expect([...await load({ metadata: { lora_alpha: '1' } })]).toEqual([['first', 1], ['second', 1]])
  expect([...await load({ metadata: peft() })]).toEqual([['first', 3], ['second', 3]])
  expect([...await load({ metadata: peft({ alpha_pattern: { 'f.*': 0.5 }, use_rslora: true }) })]).toEqual([['first', 0.5 * Math.SQRT2], ['second', 6]])
  expect([...await load({}, { config: { r: 2, lora_alpha: 7, rank_pattern: { second: 4 } } })]).toEqual([['first', 7], ['second', 7]])
  expect([...await load({ alphas: { 'first.alpha': 8, 'second.alpha': 0.25 } })]).toEqual([['first', 8], ['second', 0.25]])
  const [first, linear] = [{ 'first.lora_A.weight': [2, 3], 'first.lora_B.weight': [2, 2] }, { ss_network_alpha: '1.0', ss_network_dim: '2' }]
  expect([...await load({ tensors: first, metadata: linear })]).toEqual([['first', 1]])
  // kohya-ss keeps one alpha in the header, and those of layers beside them.
  expect([...await load({ metadata: linear, alphas: { 'first.alpha': 8, 'second.alpha': 4 } })]).toEqual([['first', 8], ['second', 4]])
})

test.each<[string, Partial<Stored>, object | undefined]>([
  ['expected a number as lora_alpha, got ""', { metadata: { lora_alpha: '' } }, undefined],
  ['expected a number as lora_alpha, got "0x10"', { metadata: { lora_alpha: '0x10' } }, undefined],
  ['expected a number as ss_network_alpha, got "Dynamic"', { metadata: { ss_network_alpha: 'Dynamic' } }, undefined],
  ['expected second to have the rank 2 of ss_network_dim, got 4', { metadata: { ss_network_alpha: '1', ss_network_dim: '2' } }, undefined],
  ['lora_adapter_metadata: expected JSON', { metadata: { lora_adapter_metadata: '{' } }, undefined],
  ['expected the configuration to be an object, got []', { metadata: { lora_adapter_metadata: '[]' } }, undefined],
  ['expected lora_alpha to be a finite number, got \'8\'', { metadata: peft({ lora_alpha: '8' }) }, undefined],
  ['expected lora_alpha to be a finite number, got null', { metadata: peft({ lora_alpha: null }) }, undefined],
  ['expected r to be a whole number of 1 or more, got undefined', { metadata: { lora_adapter_metadata: '{"lora_alpha":1}' } }, undefined],
  ['expected the rank of second to be 4, as its tensors have it, got 2', { metadata: peft({ rank_pattern: {} }) }, undefined],
  ['expected use_dora to be null, false or empty', { metadata: peft({ use_dora: true }) }, undefined],
  ["expected bias to be 'none', got 'all'", { metadata: peft({ bias: 'all' }) }, undefined],
  ["expected peft_type to be 'LORA', or null, got 'LOHA'", { metadata: peft({ peft_type: 'LOHA' }) }, undefined],
  ['expected modules_to_save to be null, false or empty', { metadata: peft({ modules_to_save: ['conv_in'] }) }, undefined],
  ['expected init_lora_weights to be true, false, gaussian', { metadata: peft({ init_lora_weights: 'pissa' }) }, undefined],
  ['expected use_newest to be null, false or empty', { metadata: peft({ use_newest: 1 }) }, undefined],
  ['expected the keys of alpha_pattern to be names of layers, or simple patterns of them, got \'(a)+\'', { metadata: peft({ alpha_pattern: { '(a)+': 1 } }) }, undefined],
  ['config: expected r to be', {}, { config: {} }],
  ['expected one alpha for first, got 3 from lora_adapter_metadata and 8 from the .alpha tensors', { metadata: peft(), alphas: { 'first.alpha': 8, 'second.alpha': 3 } }, undefined],
  ['expected an .alpha tensor for every layer or for none, got none for second', { alphas: { 'first.alpha': 8 } }, undefined],
  ['expected first.alpha to be one finite number other than 0, got 0', { alphas: { 'first.alpha': 0, 'second.alpha': 1 } }, undefined],
  ['expected one tensor of each kind for first, got first.lora_A.weight and unet.first.lora_A.weight', { tensors: { ...shapes, 'unet.first.lora_A.weight': [2, 3] } }, undefined],
  ['1 layers fit; no layer for third.lora_A.weight; misfits: second (expected lora_A.weight [4,3,3,3] and lora_B.weight [4,4,1,1], got [4,3,3,3] and none)', { tensors: { 'first.lora_A.weight': [2, 3], 'first.lora_B.weight': [2, 2], 'second.lora_A.weight': [4, 3, 3, 3], 'third.lora_A.weight': [1, 1] } }, undefined],
  ['got DoRA (first.lora_magnitude_vector); merge it into its model', { tensors: { ...shapes, 'first.lora_magnitude_vector': [2] } }, undefined],
  ['no layer for second.alpha', { tensors: { 'first.lora_A.weight': [2, 3], 'first.lora_B.weight': [2, 2] }, alphas: { 'second.alpha': 1 } }, undefined],
  ['expected F32, F16 or BF16, got first.lora_A.weight (I64)', { dtype: 'I64' }, undefined],
  ['expected F32, F16 or BF16, got first.lora_A.weight (F64)', { dtype: 'F64' }, undefined],
  ['expected F32, F16 or BF16, got first.lora_A.weight (F8_E4M3)', { dtype: 'F8_E4M3' }, undefined],
])('a file is refused by name: %s', async (message, stored, options) => {
  const loading = load(stored, options)
  await expect(loading).rejects.toThrow(message)
  await expect(loading).rejects.toThrow(CheckpointError)
})

test('an option that nobody knows is refused', async () => {
  await expect(load({}, { alpha: 1 })).rejects.toThrow(new ConfigError('loadAdapter: expected options among signal, timeout, verify, fetch, readAhead, cache, offline, shards, name, skip, dtype, config, got alpha; remove or rename it'))
})

test('ranks and alphas of each layer come back from a file as they were, to the bit, and PEFT\'s reader finds them too', async () => {
  const host = new FakeHost()
  const model = new Pair(host)
  const alphas = new Map([['first', 1 / 3], ['second', 0.1 * 7]])
  await loadAdapter(model, await fileOf({ tensors: shapes }), { name: 'a' })
  const pairs = new Map([...adapterParameters(model, 'a')].map(([name, t]): [string, Tensor] => [name, t]))
  setAdapter(model, 'a', pairs, { alpha: alphas })
  const path = join(folder, 'round.safetensors')
  await saveAdapter(path, model, { name: 'a', metadata: { by: 'test' } })
  await using file = await readSafetensors(path)
  expect(file.metadata['by']).toBe('test')
  expect(JSON.parse(file.metadata['lora_adapter_metadata'] ?? '')).toEqual({
    peft_type: 'LORA', r: 2, lora_alpha: 1 / 3, rank_pattern: { '^second': 4 }, alpha_pattern: { '^second': 0.1 * 7 }, use_rslora: false, bias: 'none', target_modules: ['first', 'second'],
  })
  await loadAdapter(model, path, { name: 'again' })
  expect(adapterAlphas(model, 'again')).toEqual(alphas)
  await expect(saveAdapter(path, model, { name: 'a', metadata: { lora_alpha: '1' } })).rejects.toThrow('expected metadata without lora_alpha')
  await expect(saveAdapter(path, model, { name: 'a', dtype: 'f64' as never })).rejects.toThrow(ConfigError)
  await expect(saveAdapter(path, model, { name: 'b' })).rejects.toThrow(ConfigError)
})

test('changes in full come back from a file, beside pairs too', async () => {
  const model = new Pair(new FakeHost())
  const path = join(folder, 'full.safetensors')
  addAdapter(model, 'full', fullDelta({ targets: /first/ }))
  adapterParameters(model, 'full').get('first.diff')?.write([1, 2, 3, 4, 5, 6])
  await saveAdapter(path, model, { name: 'full' })
  await using file = await readSafetensors(path)
  expect(file.metadata).toEqual({})
  await loadAdapter(model, path, { name: 'again' })
  expect([...await adapterParameters(model, 'again').get('first.diff')!.data()]).toEqual([1, 2, 3, 4, 5, 6])
  const second = { 'second.lora_A.weight': [4, 3, 3, 3], 'second.lora_B.weight': [4, 4, 1, 1] }
  await loadAdapter(model, await fileOf({ tensors: { ...second, 'first.diff': [2, 3] }, metadata: { lora_alpha: '3' } }), { name: 'both' })
  expect([...adapterAlphas(model, 'both')]).toEqual([['second', 3]])
  expect([...adapterParameters(model, 'both').keys()]).toEqual(['first.diff', 'second.lora_A.weight', 'second.lora_B.weight'])
  await expect(loadAdapter(model, await fileOf({ tensors: { 'first.diff': [3, 2] } }), { name: 'odd' })).rejects.toThrow('first (expected diff [2,3], got [3,2])')
})

test('a load that fails midway leaves the adapters as they were, and frees what it had read', async () => {
  const host = new FakeHost()
  const model = new Pair(host)
  addAdapter(model, 'a', lora({ rank: 1, alpha: 9, targets: /first/ }))
  const before = host.memory().tensors
  const upload = host.uploadBytes.bind(host)
  let left = 3
  host.uploadBytes = (...args) => {
    if (left-- === 0) throw new CheckpointError('no room')
    return upload(...args)
  }
  await expect(loadAdapter(model, await fileOf({ tensors: shapes }), { name: 'a' })).rejects.toThrow('no room')
  expect(host.memory().tensors).toBe(before)
  expect(adapterAlphas(model, 'a')).toEqual(new Map([['first', 9]]))
})

test('a configuration beside an address is read where there is one, and within bounds', async () => {
  const answers: Readonly<Record<string, readonly [number, string]>> = { '/a/x': [200, '{"r":1}'], '/b/x': [404, 'no'], '/c/x': [500, 'no'], '/d/x': [200, ' '.repeat(1_000_001)] }
  const server = createServer(({ url = '' }, response) => {
    const [status, text] = answers[url] ?? [404, '']
    response.writeHead(status).end(text)
  })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  const { port } = server.address() as AddressInfo
  const beside = (folder: string): Promise<string | undefined> => fileBeside(`http://127.0.0.1:${port}/${folder}/adapter.safetensors?download=1`, 'x')
  expect(await beside('a')).toBe('{"r":1}')
  expect(await beside('b')).toBeUndefined()
  await expect(beside('c')).rejects.toThrow('got status 500')
  await expect(beside('d')).rejects.toThrow('got more than 1000000 characters')
  server.closeAllConnections()
  server.close()
  await expect(beside('a')).rejects.toThrow(CheckpointError)
})

test('layers whose own names begin with unet. come back too', async () => {
  class Video extends Module {
    readonly unet: Pair = new Pair(new FakeHost())
  }
  const [model, path] = [new Video(), join(folder, 'video.safetensors')]
  addAdapter(model, 'a', lora({ rank: 2, alpha: 5, targets: /./ }))
  await saveAdapter(path, model, { name: 'a' })
  await loadAdapter(model, path, { name: 'b' })
  expect(adapterAlphas(model, 'b')).toEqual(new Map([['unet.first', 5], ['unet.second', 5]]))
})
