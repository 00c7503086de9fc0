import type { Tensor } from '@antipode/core'
import { type Module, placeholders } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter, waves } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { l1, near } from '../testing/index.ts'
import golden from './autoencoders.golden.json' with { type: 'json' }
import { AutoencoderKL, type AutoencoderKLConfig, AutoencoderTiny, type AutoencoderTinyConfig } from './index.ts'

const host = new FakeHost()

interface Output { readonly shape: readonly number[]; readonly first8: readonly number[]; readonly absSum: number }
interface Case {
  readonly params: number
  readonly image: readonly number[]
  readonly latents: readonly number[]
  readonly encoded: Output
  readonly decoded: Output
  readonly encodedTiled?: Output
  readonly decodedTiled?: Output
}

const parameters = (model: Module): Map<string, Tensor> =>
  new Map([...model.namedParameters()].map(([name, t]) => [name, waveParameter(host, name, t.shape)]))

function holds(pairs: readonly (readonly [got: Tensor, want: Output | undefined])[]): void {
  const known = pairs.filter((pair): pair is [Tensor, Output] => pair[1] !== undefined)
  interpret(known.map(([t]) => t)).forEach((values, k) => {
    const [got, { shape, first8, absSum }] = known[k]!
    expect(got.shape).toEqual(shape)
    first8.forEach((want, i) => { near(values[i], want, absSum / values.length) })
    near(l1(values), absSum, absSum)
  })
}

const inputsOf = ({ image, latents }: Case): [Tensor, Tensor] =>
  [waves(host, 'input.x', image, 0, 1), waves(host, 'input.z', latents, 0, 1)]

test.each(golden.kl)('in float64 an AutoencoderKL with $name is that of diffusers', async ({ config, ...one }) => {
  const model = new AutoencoderKL(placeholders(host), config as AutoencoderKLConfig)
  expect(model.parameterCount).toBe(one.params)
  await model.load(parameters(model))
  const [x, z] = inputsOf(one)
  const { encodedTiled, decodedTiled }: Case = one
  holds([
    [model.encode(x).moments, one.encoded], [model.decode(z), one.decoded],
    [model.encode(x, { tiling: true }).moments, encodedTiled ?? one.encoded],
    [model.decode(z, { tiling: true }), decodedTiled ?? one.decoded],
  ])
})

test.each(golden.tiny)('in float64 an AutoencoderTiny with $name is that of diffusers', async ({ config, ...one }) => {
  const model = new AutoencoderTiny(placeholders(host), config as AutoencoderTinyConfig)
  expect(model.parameterCount).toBe(one.params)
  await model.load(parameters(model))
  const [x, z] = inputsOf(one)
  holds([[model.encode(x), one.encoded], [model.decode(z), one.decoded]])
})
