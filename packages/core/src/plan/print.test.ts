import { tuningTable } from '@antipode/kernels-wgsl'
import { expect, test } from 'vitest'
import { gradients } from '../autograd/index.ts'
import { conv2d, groupNorm, linear } from '../functional/index.ts'
import { type Tensor, tensor } from '../graph/index.ts'
import { FakeHost, gpuTarget } from '../testing/index.ts'

const zeros = (host: FakeHost, ...shape: number[]): Tensor => tensor(host, new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)

test('a layer and its gradient, pass by pass', () => {
  const host = new FakeHost(gpuTarget)
  const [x, w, b] = [zeros(host, 4, 6), zeros(host, 5, 6), zeros(host, 5)] as [Tensor, Tensor, Tensor]
  const loss = linear(x, w, b).relu().sum()
  expect(host.printPlan(loss, ...gradients(loss, [w]))).toMatchInlineSnapshot(`
    "resolve
      %0: f32[4,6] = leaf 0
      %1: f32[5,6] = leaf 1
      %3: f32[5] = leaf 2
      %7: f32[] = scalar 2
      %8: f32[] = scalar 0
      %10: f32[] = scalar 1
      %2: f32[4,5] = matmul(%0, %1)
      %4: f32[4,5] = add(%2, %3)
      %5: f32[4,5] = relu(%4)
      %6: f32[1,1] = reduce(%5)
      %9: f32[4,5] = le(%4, %8)
      %11: f32[4,5] = where(%9, %10, %7[4,5 by 0,0])
      %12: f32[5,6] = matmul(%11, %0)
      outputs: %6[], %12
    fuse
      %4 = add(v, %3[4,5 by 0,1]) of v = matmul(%0, %1)
      %5 = relu(%4)
      %6 = reduce(%5)
      %11 = where(le(%4, scalar 0), scalar 1, scalar 2)
      %12 = matmul(%11, %0)
      result %6[]
      result %12
    lower
      %4: f32[4,5] = matmul/f32/tiles64+add(v,i0)/2/s/f32>f32 (%0, %1; %3)
      %5: f32[4,5] = fused/vec4/relu(i0)/1/f/f32>f32+ (%4)
      %6: f32[1,1] = reduce/sum/f32/rows (%5)
      %11: f32[4,5] = fused/vec4/le(i0,s0);where(s0,s1,s2)/1/f/f32>f32+ (%4)
      %12: f32[5,6] = matmul/f32/tiles64 (%11, %0)
      result %6[]
      result %12
    alias
      @0: leaf 0, 96 bytes
      @1: leaf 1, 120 bytes
      @2: leaf 2, 20 bytes
      @3: 80 bytes
      @4: 80 bytes
      @5: 4 bytes
      @6: 80 bytes
      @7: 120 bytes
      matmul/f32/tiles64+add(v,i0)/2/s/f32>f32 @0 @1 >@3 @2
      fused/vec4/relu(i0)/1/f/f32>f32+ @3 >@4
      reduce/sum/f32/rows @4 >@5
      fused/vec4/le(i0,s0);where(s0,s1,s2)/1/f/f32>f32+ @3 >@6
      matmul/f32/tiles64 @6 @0 >@7
      outputs: @5, @7"
  `)
})

test('a norm that a convolution reads from a texture, pass by pass', () => {
  const host = new FakeHost({ kind: 'software', f16: true, subgroupSize: 8, textureRows: 16_384, matrices: false, workgroupBytes: 32_768, tuning: tuningTable.lavapipe })
  const y = conv2d(groupNorm(zeros(host, 16, 32, 8, 8), 8), zeros(host, 32, 32, 3, 3), { padding: 1 })
  expect(host.printPlan(y)).toMatchInlineSnapshot(`
    "resolve
      %0: f32[16,32,8,8] = leaf 0
      %4: f32[32,32,3,3] = leaf 1
      %1: f32[16,32,8,8], %2: f32[16,8], %3: f32[16,8] = norm(%0)
      %5: f32[16,32,8,8] = conv2d(%1, %4)
      outputs: %5
    fuse
      %1 packed, %2, %3 = norm(%0)
      %5 = conv2d(%1 packed, %4)
      result %5
    lower
      %1: f32[16,32,8,8], %2: f32[16,8], %3: f32[16,8] = norm/f32/centred/none/packed/registers (%0)
      %5: f32[16,32,8,8] = conv2d/f32/pack-panels, conv2d/f32/panels16/row (%1, %4)
      result %5
    alias
      @0: leaf 0, 131072 bytes
      @1: 512 bytes
      @2: 512 bytes
      @3: texture of 9 rows
      @4: leaf 1, 36864 bytes
      @5: 131072 bytes
      @6: texture of 3 rows, kept while leaf 1 stays
      norm/f32/centred/none/packed/registers @0 >@3 >@1 >@2
      conv2d/f32/pack-panels @4 >@6
      conv2d/f32/panels16/row @6 @3 >@5
      outputs: @5"
  `)
})
