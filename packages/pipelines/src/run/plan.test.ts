import { fileURLToPath } from 'node:url'
import { encodeSafetensors } from '@antipode/core/io'
import { FakeHost } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { loadPipeline } from '../components/index.ts'

const folder = fileURLToPath(new URL('../../test/sd', import.meta.url))
const call = { prompt: 'the <toy>', height: 16, width: 16 } as const

test('a plan counts learned words among the weights that stay', async () => {
  using pipe = await loadPipeline(new FakeHost(), folder, { dtype: 'f32', budget: 2 ** 20 })
  const weights = (): [models: number, step: number, decode: number] => {
    const { weights: models, step, decode } = pipe.plan(call)
    return [models, step.weights, decode.weights]
  }
  const [models, step, decode] = weights()
  const rows = new Float32Array(16 * 16)
  await pipe.textualInversions.load(undefined, encodeSafetensors([{ name: '<toy>', dtype: 'F32', shape: [16, 16], data: rows }]))
  expect(weights()).toEqual([models, step + rows.byteLength, decode + rows.byteLength])
  pipe.textualInversions.remove('<toy>')
  expect(weights()).toEqual([models, step, decode])
})
