import { expect, test } from 'vitest'
import { CheckpointError, type Tensor } from '@antipode/core'
import { encodeSafetensors, readSafetensors } from '@antipode/core/io'
import { placeholders, type StateSource } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { type UNet2DConfig, UNet2DConditionModel } from '../unet/index.ts'
import { attentionNames, fuse, rename, split, transpose } from './index.ts'

const host = new FakeHost()
const given = (shapes: Readonly<Record<string, readonly number[]>>): Map<string, Tensor> =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, waves(host, name, shape, 0, 1)]))
const values = async (source: StateSource, name: string): Promise<number[]> => {
  using t = await source.read(name, host, 'f32')
  expect(t.shape).toEqual(source.info(name)?.shape)
  return [...await t.data()]
}

test('a rename reads under other names, and leaves out what has none', async () => {
  const map = given({ 'model.a': [2], junk: [3] })
  const source = rename(map, (name) => (name.startsWith('model.') ? name.slice(6) : undefined))
  expect([...source.names()]).toEqual(['a'])
  expect(await values(source, 'a')).toEqual([...await map.get('model.a')!.data()])
  await expect(source.read('model.a', host, 'f32')).rejects.toThrow('rename: expected a tensor named "model.a"')
  expect(() => rename(map, () => 'same')).toThrow(new CheckpointError('rename: expected one tensor for each name, got two for same'))
})

test('a split gives equal parts of the rows, and a fuse puts them together again', async () => {
  const map = given({ qkv: [6, 2], other: [1] })
  const before = host.memory().tensors
  const parts = split(map, (name) => (name === 'qkv' ? ['q', 'k', 'v'] : undefined))
  expect([...parts.names()]).toEqual(['q', 'k', 'v', 'other'])
  const whole = [...await map.get('qkv')!.data()]
  expect(await values(parts, 'k')).toEqual(whole.slice(4, 8))
  const again = fuse(parts, (name) => (name === 'other' ? undefined : ['qkv', 'qkv'.indexOf(name)]))
  expect(await values(again, 'qkv')).toEqual(whole)
  expect(host.memory().tensors).toBe(before)
})

test('a transpose swaps the last two axes', async () => {
  const map = given({ kernel: [2, 3], bias: [3] })
  const source = transpose(map, () => true)
  const [a, b, c, d, e, f] = await map.get('kernel')!.data()
  expect(source.info('kernel')?.shape).toEqual([3, 2])
  expect(await values(source, 'kernel')).toEqual([a, d, b, e, c, f])
  expect(await values(source, 'bias')).toEqual([...await map.get('bias')!.data()])
})

test('rows that cannot be cut, parts that are missing, twice or of other widths are refused before anything is read', () => {
  expect(() => split(given({ a: [4] }), () => ['x', 'y', 'z'])).toThrow('split: expected a to have rows for 3 equal parts, got 4')
  expect(() => fuse(given({ a: [1] }), () => ['whole', 1])).toThrow('fuse: expected every part of whole, got none for part 0')
  expect(() => fuse(given({ a: [1], b: [1] }), () => ['whole', 0])).toThrow('fuse: expected one tensor for part 0 of whole, got a and b')
  expect(() => fuse(given({ a: [1, 2], b: [1, 3] }), (name) => ['whole', 'ab'.indexOf(name)])).toThrow('got F32 [1,3] of b')
})

test('only what is asked for is read', async () => {
  const read: string[] = []
  const file = await readSafetensors(encodeSafetensors(['a', 'b'].map((name) => ({ name, dtype: 'F32' as const, shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }))))
  const watched = { ...file, read: (name: string) => { read.push(name); return file.read(name) } }
  const source = rename(transpose(split(watched, (name) => (name === 'b' ? ['b.0', 'b.1'] : undefined)), (name) => name === 'a'), (name) => `x.${name}`)
  expect(read).toEqual([])
  expect(await values(source, 'x.b.1')).toEqual([3, 4])
  expect(read).toEqual(['b'])
})

const config: UNet2DConfig = {
  in_channels: 1, out_channels: 1, block_out_channels: [8], down_block_types: ['AttnDownBlock2D'], up_block_types: ['AttnUpBlock2D'],
  mid_block_type: null, attention_head_dim: 4, norm_num_groups: 2, layers_per_block: 1,
}
const fresh = (): UNet2DConditionModel => new UNet2DConditionModel(placeholders(host), config)
const output = (model: UNet2DConditionModel): number[] => [...interpret([model.forward(waves(host, 'x', [1, 1, 4, 4], 0, 1), 10)])[0] ?? []]

test('checkpoints with one layer for queries, keys and values, and with the names of early diffusers, load to equal outputs', async () => {
  const model = fresh()
  await model.load(new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)])))
  const want = output(model)
  const fused = fuse(model.state(), (name) => {
    const [, head, part = '', tail] = /^(.*\.to_)([qkv])(\..*)$/.exec(name) ?? []
    return head === undefined ? undefined : [`${head}qkv${tail}`, 'qkv'.indexOf(part)]
  })
  expect([...fused.names()].filter((name) => name.includes('to_qkv'))).toHaveLength(6)
  const apart = fresh()
  await apart.load(split(fused, (name) => (name.includes('to_qkv') ? [...'qkv'].map((part) => name.replace('qkv', part)) : undefined)))
  expect(output(apart)).toEqual(want)

  const early = { to_q: 'query', to_k: 'key', to_v: 'value', 'to_out.0': 'proj_attn' } as const
  const old = rename(model.state(), (name) => name.replace(/to_[qkv]|to_out\.0/, (now) => early[now as keyof typeof early]))
  await expect(fresh().load(old)).rejects.toThrow('24 missing')
  const renamed = fresh()
  await renamed.load(attentionNames(old))
  expect(output(renamed)).toEqual(want)
})
