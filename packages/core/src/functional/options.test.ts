import { describe, expect, test } from 'vitest'
import { avgPool2d, compile, ConfigError, checkpoint, conv2d, conv3d, evaluate, groupNorm, layerNorm, leaks, ones, rand, randn, rmsNorm, rotaryAngles, rotaryEmbedding, scaledDotProductAttention, scope, split, tensor, topK, upsampleNearest2d, zeros, constant, full, arange } from '../index.ts'
import { philoxBits, philoxNormal, philoxUniform, rng } from '../random/index.ts'
import { FakeHost } from '../testing/index.ts'

const host = new FakeHost()
const x = ones(host, [1, 2, 4, 4])
const w = ones(host, [2, 2, 1, 1])
const row = ones(host, [2])

/** Every function that takes options, with some that are wrong; all refuse one that nobody knows. */
const functions: readonly (readonly [string, (options: never) => unknown, readonly object[]])[] = [
  ['conv2d', (o) => conv2d(x, w, o), [{ stride: 0 }, { stride: 1.5 }, { stride: [1] }, { stride: [1, 1, 1, 1] }, { padding: -1 }, { padding: [1, 2, 3] }, { groups: 0 }, { bias: [1, 2] }]],
  ['conv3d', (o) => conv3d(x.unsqueeze(2), w.unsqueeze(2), o), [{ stride: 0 }, { stride: [1, 1] }, { padding: -1 }, { padding: [1, 2] }, { groups: 0 }, { bias: 1 }]],
  ['rotaryEmbedding', (o) => rotaryEmbedding(x, x.slice(-1, 0, 2), x.slice(-1, 0, 2), o), [{ pairs: 'all' }]],
  ['rotaryAngles', (o) => rotaryAngles([1], 2, o), [{ theta: 0 }]],
  ['scaledDotProductAttention', (o) => scaledDotProductAttention(x, x, x, o), [{ causal: 1 }, { scale: Number.NaN }, { scale: Infinity }, { layout: 'NHD' }, { mask: true }]],
  ['groupNorm', (o) => groupNorm(x, 1, o), [{ eps: -1 }, { eps: Number.NaN }, { activation: 'relu' }, { weight: 1 }, { bias: row }]],
  ['layerNorm', (o) => layerNorm(x, o), [{ eps: Infinity }, { bias: row }]],
  ['rmsNorm', (o) => rmsNorm(x, o), [{ eps: null }, { bias: row }]],
  ['topK', (o) => topK(x, 1, o), [{ largest: 0 }]],
  ['sum', (o) => x.sum(o), [{ axes: '1' }, { axes: ['1'] }, { keepDims: 1 }]],
  ['mean', (o) => x.mean(o), []],
  ['max', (o) => x.max(o), []],
  ['min', (o) => x.min(o), []],
  ['matmul', (o) => w.matmul(w, o), [{ transposeA: 1 }, { transposeB: null }]],
  ['write', (o) => { tensor(host, [1]).write([1], o) }, [{ allowNonFinite: 1 }]],
  ['tensor', (o) => tensor(host, [1], [1], o), [{ dtype: 'f64' }, { dtype: 1 }, { allowNonFinite: 'yes' }]],
  ['constant', (o) => constant(host, [1], [1], o), [{ dtype: 'int' }]],
  ['full', (o) => full(host, [1], 1, o), [{ dtype: null }]],
  ['zeros', (o) => zeros(host, [1], o), [{ dtype: 'F32' }]],
  ['ones', (o) => ones(host, [1], o), [{ dtype: '' }]],
  ['arange', (o) => arange(host, 1, o), [{ dtype: 'i64' }]],
  ['randn', (o) => randn(host, [1], Object.assign({ seed: 1 }, o)), [{ seed: -1 }, { seed: 0.5 }, { seed: '1' }, { seed: undefined }, { stream: 2 ** 32 }, { dtype: 'f8' }]],
  ['rand', (o) => rand(host, [1], Object.assign({ seed: 1 }, o)), [{ seed: 2 ** 53 }, { stream: -1 }]],
  ['rng', (o) => rng(1, o), [{ stream: 0.5 }]],
  ['philox', (o) => philoxBits(1, Object.assign({ seed: 1 }, o)), [{ seed: Number.NaN }, { stream: -1 }]],
  ['philox', (o) => philoxUniform(1, Object.assign({ seed: 1 }, o)), [{ stream: 2 ** 32 }]],
  ['philox', (o) => philoxNormal(1, Object.assign({ seed: 1 }, o)), [{ stream: 2 ** 32 }]],
]

describe.each(functions)('%s', (name, call, wrong) => {
  test('takes no options as the defaults', () => {
    call({} as never)
  })

  test.each([{ dilation: 2 }, ...wrong])('refuses %o', (options) => {
    const refused = (): unknown => call(options as never)
    expect(refused).toThrow(ConfigError)
    expect(refused).toThrow(new RegExp(`^${name}: expected .*, got .*`))
  })
})

test.each<[string, () => unknown]>([
  ['avgPool2d', () => avgPool2d(x, 0.5)],
  ['upsampleNearest2d', () => upsampleNearest2d(x, 0)],
  ['groupNorm', () => groupNorm(x, 1.5)],
  ['split', () => split(x, -1)],
  ['split', () => split(x, 2.5)],
  ['split', () => split(x, [1, Number.NaN])],
  ['compile', () => compile(1 as never)],
  ['checkpoint', () => checkpoint(x as never)],
  ['leaks.report', () => { leaks.report({} as never) }],
])('%s refuses an argument that means nothing', (name, call) => {
  expect(call).toThrow(ConfigError)
  expect(call).toThrow(new RegExp(`^${name}: expected `))
})

test('so do functions that give a promise', async () => {
  await expect(scope(1 as never)).rejects.toThrow(ConfigError)
  await expect(evaluate([x] as never)).rejects.toThrow(ConfigError)
})
