import { expect, test } from 'vitest'
import { norm, type NormAttrs } from '../../norm/index.ts'
import { noise, refCall } from '../../testing.ts'
import { runKernels, type TestHost } from '../../testing/run-kernels.ts'
import { assemble, output, texture } from '../../wgsl/index.ts'
import { channels4Texels } from '../operands/index.ts'
import { packedNorm } from './norm.ts'

const host = globalThis.kernelTestHost as TestHost // set up for all tests of this kind

// Groups that fill texels and groups that share them, held in registers and read twice.
test.each([
  [[3, 8, 4, 4], 2, 'registers'], [[3, 8, 8, 16], 2, 'two-pass'], [[3, 12, 4, 4], 4, 'registers/texel-groups'], [[3, 12, 8, 8], 4, 'two-pass/texel-groups'],
] as const)('of %j in %i groups, what is not finite in a group makes that group NaN and no other, and one number throughout is 0', async (shape, groups, form) => {
  const [images, channels] = shape
  const pixels = shape[2] * shape[3]
  const group = channels / groups * pixels
  const attrs: NormAttrs = { groups, eps: 1e-5, rms: false, affine: 'none' }
  const data = noise(images * channels * pixels, 1)
  data[7] = Number.NaN
  data[group * (groups + 1) + 5] = Infinity
  data.fill(1e4, group * 2 * groups, group * (2 * groups + 1))
  const x = { shape, dtype: 'f32' as const, data: data.map(Math.fround) }
  const layout = { kind: 'channels4', texture: 0, groups: 1, channels, images, pixels } as const
  const texels = channels4Texels(layout) + 1
  const unpack = assemble({
    label: 'unpack', dtype: 'f32', params: { texels }, storage: [texture(0, texels, 'texels', 'read'), output(0, 'out', 'vec4f')],
    body: '@compute @workgroup_size(1) fn main() { for (var i = 0u; i < P.texels; i++) { out[i] = textureLoad(texels, at(i)); } }',
    workgroups: [1, 1, 1], epilogue: null,
  })
  const kernels = packedNorm({ inputs: [x], outputs: norm.infer([x], attrs), attrs }, layout, host.target) ?? []
  expect(kernels[0]?.label).toContain(`/packed/${form}`)
  const statistics = { shape: [images, groups], dtype: 'f32' as const }
  const [y = new Float64Array(), mean, rstd] = await runKernels(host, [...kernels, unpack], [{ spec: x, data: x.data }], [{ shape: [texels, 4], dtype: 'f32' }, statistics, statistics])
  const [want, ...of] = refCall(norm, [x], attrs)
  const gap = (got = Number.NaN, exact = Number.NaN): number => (Object.is(got, exact) ? 0 : Math.abs(got - exact) / Math.max(1, Math.abs(exact)))
  const unpacked = Array.from(want?.data ?? [], (_, i) => {
    const [image, channel, pixel] = [Math.floor(i / channels / pixels), Math.floor(i / pixels) % channels, i % pixels]
    return y[((Math.floor(channel / 4) * images + image) * pixels + pixel) * 4 + channel % 4]
  })
  expect(unpacked.map((v, i) => gap(v, want?.data[i])).filter((d) => !(d < 1e-4))).toEqual([])
  expect(Array.from(mean ?? [], (v, i) => gap(v, of[0]?.data[i])).filter((d) => !(d < 1e-6))).toEqual([])
  expect(Array.from(rstd ?? [], (v, i) => gap(v, of[1]?.data[i])).filter((d) => !(d < 1e-4))).toEqual([])
})
