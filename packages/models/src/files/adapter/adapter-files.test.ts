import { encodeSafetensors } from '@antipode/core/io'
import { adapterNames, adapterParameters } from '@antipode/core/nn'
import { FakeHost, interpret, waveParameter } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { l1, near } from '../../testing/index.ts'
import golden from './adapter-files.golden.json' with { type: 'json' }
import { type AdapterComponent, loadAdapter } from './index.ts'
import { type Family, modelsOf, outputs } from './testing.ts'

type Outputs = Readonly<Partial<Record<AdapterComponent, { readonly first8: readonly number[]; readonly absSum: number }>>>

interface Case {
  readonly name: string
  readonly family: string
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: Readonly<Record<string, readonly number[]>>
  readonly alphas: Readonly<Record<string, number>>
  readonly outputs: Outputs
}

async function fileOf({ tensors, alphas, metadata }: Case): Promise<Uint8Array<ArrayBuffer>> {
  const host = new FakeHost()
  const entries = Object.entries(tensors).map(([name, shape]) => (
    { name, dtype: 'F32' as const, shape, data: Float32Array.from(interpret([waveParameter(host, name, shape)])[0] ?? []) }
  ))
  const numbers = Object.entries(alphas).map(([name, alpha]) => ({ name, dtype: 'F32' as const, shape: [], data: Float32Array.of(alpha) }))
  return encodeSafetensors([...entries, ...numbers], metadata)
}

test('a file of torch.save is read as well, and in another element type', async () => {
  const { unet } = await modelsOf('sd')
  const bytes = Uint8Array.from(atob(golden.torch.base64), (c) => c.charCodeAt(0))
  await loadAdapter(unet, bytes, { name: 'a' })
  await loadAdapter(unet, bytes, { name: 'half', dtype: 'f16' })
  const types = (name: string): Set<string> => new Set([...adapterParameters(unet, name).values()].map(({ dtype }) => dtype))
  expect([types('a'), types('half')]).toEqual([new Set(['f32']), new Set(['f16'])])
  const want = golden.torch.outputs.unet
  const values = outputs({ unet }).get('unet')!
  want.first8.forEach((value, i) => { near(values[i], value, want.absSum / values.length) })
  near(l1(values), want.absSum, want.absSum)
})

test.each(golden.cases as unknown as readonly Case[])('a file $name gives the outputs that it has there, in float64', async (stored) => {
  const family = stored.family as Family
  const models = await modelsOf(family)
  await loadAdapter(models, await fileOf(stored), { name: 'a' })
  const plain = golden.plain[family] as Outputs
  for (const [component, values] of outputs(models)) {
    const want = stored.outputs[component]!
    const scale = want.absSum / values.length
    want.first8.forEach((value, i) => { near(values[i], value, scale) })
    near(l1(values), want.absSum, want.absSum)
    const changed = Math.abs(want.absSum - plain[component]!.absSum) / want.absSum > 1e-4
    expect(adapterNames(models[component]!), component).toEqual(changed ? ['a'] : [])
  }
})
