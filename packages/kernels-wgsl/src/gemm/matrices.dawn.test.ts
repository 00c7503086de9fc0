import { afterAll, beforeAll, expect, test } from 'vitest'
import { create } from 'webgpu'
import { conv2d } from '../conv2d/index.ts'
import { matmul } from '../matmul/index.ts'
import type { Attrs, Kernel, Op, Spec, Target } from '../op.ts'
import { matrixFeature, tuningTable } from '../tuning.ts'

const target: Target = { kind: 'gpu', f16: true, subgroupSize: 32, textureRows: 0, matrices: true, workgroupBytes: 32_768, tuning: tuningTable.gpu }
const f16 = (...shape: number[]): Spec => ({ shape, dtype: 'f16' })

/** Dawn's adapter that computes nothing and has every feature: what no adapter at hand can run is at least compiled. */
let device: GPUDevice
/** Held for as long as the device: Dawn frees what a device needs with the last reference to where it came from. */
let held: readonly unknown[]
beforeAll(async () => {
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis'])
  const adapter = await gpu.requestAdapter()
  held = [gpu, adapter]
  device = await adapter?.requestDevice({ requiredFeatures: ['shader-f16', matrixFeature as GPUFeatureName] }) as GPUDevice // asked of an adapter that has all
})

afterAll(() => {
  device.destroy()
  expect(held.length).toBe(2)
})

function lowered<A extends Attrs>(op: Op<A>, inputs: readonly Spec[], attrs: A): readonly Kernel[] {
  return op.kernels?.({ inputs, outputs: op.infer(inputs, attrs), attrs }, target) ?? []
}

async function errors(kernel: Kernel | undefined): Promise<string[]> {
  const module = device.createShaderModule({ code: kernel?.wgsl ?? '' })
  const { messages } = await module.getCompilationInfo()
  return messages.filter((m) => m.type === 'error').map((m) => `${m.lineNum}: ${m.message}`)
}

const convolution = { stride: [1, 1], padding: [1, 1, 1, 1], groups: 1 } as const
test.each([
  ['regular operands', 128, lowered(matmul, [f16(2048, 640), f16(640, 2048)], { transposeA: false, transposeB: false })],
  ['regular operands, transposed', 128, lowered(matmul, [f16(640, 2048), f16(2048, 640)], { transposeA: true, transposeB: true })],
  ['odd operands', 64, lowered(matmul, [f16(77, 45), f16(45, 130)], { transposeA: false, transposeB: false })],
  ['a convolution', 64, lowered(conv2d, [f16(1, 20, 9, 9), f16(37, 20, 3, 3)], convolution)],
])('%s of f16 become a text of subgroup matrices that compiles', async (_, side, [kernel]) => {
  expect(kernel?.label).toContain(`/f16/matrices${side}x${side}`)
  expect(await errors(kernel)).toEqual([])
})

test('a text that does not compile would be found', async () => {
  const [kernel] = lowered(matmul, [f16(77, 45), f16(45, 130)], { transposeA: false, transposeB: false })
  expect(await errors(kernel && { ...kernel, wgsl: kernel.wgsl.replaceAll('row_major', 'row_minor') })).not.toEqual([])
})

test('f32 and few rows are multiplied without', () => {
  const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' })
  expect(lowered(matmul, [f32(64, 64), f32(64, 64)], { transposeA: false, transposeB: false })[0]?.label).toContain('/tiles64')
  expect(lowered(matmul, [f16(4, 64), f16(64, 64)], { transposeA: false, transposeB: false })[0]?.label).toContain('/tiles64')
})
