import { expect, test } from 'vitest'
import { norm, normApply, type NormAttrs } from '../../norm/index.ts'
import type { DType, Kernel, RefTensor } from '../../op.ts'
import { noise, refCall } from '../../testing.ts'
import { rounded, runKernels, type TestHost } from '../../testing/run-kernels.ts'
import { assemble, output, texture } from '../../wgsl/index.ts'
import type { Batch4Layout, PackedLayout } from '../contract.ts'
import { batch4Texels } from '../operands/index.ts'
import { packedNormApply } from './apply.ts'

const host = globalThis.kernelTestHost as TestHost // set up for all tests of this kind
const attrsOf = (groups: number, affine: NormAttrs['affine'], activation?: 'silu'): NormAttrs => ({ groups, eps: 1e-5, rms: false, affine, activation })

/** x, weight and bias as asked for, and the statistics of x. */
function inputsOf(shape: readonly number[], attrs: NormAttrs, dtype: DType): RefTensor[] {
  const parameters = { none: [], weight: [1], both: [1, 1] }[attrs.affine].map(() => [shape[1] ?? 0])
  const given = [shape, ...parameters].map((s, k): RefTensor => ({ shape: s, dtype, data: noise(s.reduce((a, b) => a * b), k + 1).map((v) => rounded(v, dtype)) }))
  return [...given, ...refCall(norm, given, attrs).slice(1)]
}

function layoutOf([images = 0, channels = 0, ...inner]: readonly number[]): Batch4Layout {
  return { kind: 'batch4', texture: 0, images, channels, pixels: inner.reduce((a, b) => a * b) }
}

const packed = (inputs: readonly RefTensor[], attrs: NormAttrs, layout: PackedLayout): readonly Kernel[] | undefined =>
  packedNormApply({ inputs, outputs: normApply.infer(inputs, attrs), attrs }, layout, host.target)

/** Stores the texels one after another. */
function unpack(texels: number): Kernel {
  return assemble({
    label: 'unpack', dtype: 'f32', params: { texels }, storage: [texture(0, texels, 'texels', 'read'), output(0, 'out', 'vec4f')],
    body: '@compute @workgroup_size(1) fn main() { for (var i = 0u; i < P.texels; i++) { out[i] = textureLoad(texels, at(i)); } }',
    workgroups: [1, 1, 1], epilogue: null,
  })
}

test.each([
  [[4, 12, 2, 2], 4], [[8, 48, 8, 8], 8], [[16, 20, 6, 6], 5], [[4, 6, 4, 4], 6], [[8, 9, 4, 3], 1], [[260, 16, 2, 6], 8],
] as const)('texels of four images of %j in %i groups hold what the reference gives', async (shape, groups) => {
  const layout = layoutOf(shape)
  const texels = batch4Texels(layout) + 1
  for (const dtype of ['f32', ...(host.target.f16 ? ['f16'] as const : [])] as const) {
    for (const affine of ['none', 'weight', 'both'] as const) {
      for (const activation of [undefined, 'silu'] as const) {
        const attrs = attrsOf(groups, affine, activation)
        const inputs = inputsOf(shape, attrs, dtype)
        const kernels = [...packed(inputs, attrs, layout) ?? [], unpack(texels)]
        const [got = []] = await runKernels(host, kernels, inputs.map((spec) => ({ spec, data: spec.data })), [{ shape: [texels, 4], dtype: 'f32' }])
        const [want] = refCall(normApply, inputs, attrs)
        const unit = layout.channels * layout.pixels
        const gaps = Array.from(got, (v, i) => {
          const [texel, k] = [Math.floor(i / 4), i % 4]
          const image = 4 * Math.floor(texel / unit) + k
          // The last texel is the zero that lies outside of every image.
          return Math.abs(v - (texel === texels - 1 ? 0 : want?.data[image * unit + texel % unit] ?? Number.NaN))
        })
        expect(got.length).toBe(4 * texels)
        expect(Math.max(...gaps), `${dtype} ${affine} ${activation}`).toBeLessThan(1e-5)
      }
    }
  }
})

test('other layouts, and pixels that are no fours, are not packed', () => {
  const attrs = attrsOf(4, 'both')
  const shape = [4, 8, 2, 2]
  const { kind: _, ...layout } = layoutOf(shape)
  expect(packed(inputsOf(shape, attrs, 'f32'), attrs, { ...layout, kind: 'channels4', groups: 1 })).toBeUndefined()
  expect(packed(inputsOf(shape, attrs, 'f32'), attrs, { ...layout, kind: 'batch4', pixels: 8 })).toBeUndefined()
  const odd = [4, 8, 3, 3]
  expect(packed(inputsOf(odd, attrs, 'f32'), attrs, layoutOf(odd))).toBeUndefined()
})
