import { conv2d, type Device, evaluate, groupNorm, linear, scaledDotProductAttention, type Tensor, tensor, vjp, zeros } from '@antipode/core'
import type { Prepared, Problem, SharedKind } from '../workload.ts'

/** The problem's arrays on the device, by name. */
export function upload(device: Device, { inputs, dtype = 'f32' }: Problem): (name: string) => Tensor {
  const tensors = new Map(Object.entries(inputs).map(([name, { data, shape }]) => [name, tensor(device, data, shape, { dtype })]))
  return (name) => tensors.get(name) as Tensor
}

/** A gate of the halves of the last axis, as in our transformer blocks. */
function geglu(x: Tensor): Tensor {
  const width = (x.shape.at(-1) ?? 0) / 2
  return x.slice(-1, 0, width).mul(x.slice(-1, width).gelu())
}

/** How each operation is written with this library. Every run builds its graph anew, and the device recognises it. */
function computation(device: Device, t: (name: string) => Tensor, problem: Problem): () => Tensor[] {
  const repeat = (start: Tensor, next: (x: Tensor) => Tensor): Tensor => {
    let x = start
    for (let i = 0; i < (problem.repeats ?? 1); i++) x = next(x)
    return x
  }
  const attention = (): Tensor => scaledDotProductAttention(t('q'), t('k'), t('v'))
  // A convolution's gradients need the shape of what they are taken of, and nothing of its value or of the result.
  const convGrad = (of: 'x' | 'w', shape: readonly number[]): Tensor[] => {
    const blank = zeros(device, shape)
    const y = of === 'x' ? conv2d(blank, t('w'), { padding: 1 }) : conv2d(t('x'), blank, { padding: 1 })
    return vjp([y], [blank], [t('g')])
  }
  const table: Record<Exclude<SharedKind, 'trainStep'>, () => Tensor[]> = {
    matmul: () => [t('a').matmul(t('b'))],
    conv3x3: () => [conv2d(t('x'), t('w'), { padding: 1 })],
    conv3x3Input: () => convGrad('x', t('g').shape),
    conv3x3Weight: () => convGrad('w', [t('g').shape[1] ?? 0, t('x').shape[1] ?? 0, 3, 3]),
    attention: () => [attention()],
    attentionGrad: () => vjp([attention()], [t('q'), t('k'), t('v')], [t('g')]),
    groupNormSilu: () => [groupNorm(t('x'), 32, { weight: t('weight'), bias: t('bias') }).silu()],
    geglu: () => [geglu(t('x'))],
    feedForward: () => [linear(geglu(linear(t('x'), t('w1'), t('b1'))), t('w2'), t('b2'))],
    add: () => [t('a').add(t('b'))],
    addChain: () => [repeat(t('x'), (x) => x.add(t('b')))],
    matmulChain: () => [repeat(t('x'), (x) => x.matmul(t('r')))],
  }
  return table[problem.kind as keyof typeof table]
}

/** Uploads the inputs of a forward or backward pass. */
export function forward(device: Device, problem: Problem): Prepared {
  const make = computation(device, upload(device, problem), problem)
  let results: Tensor[] = []
  return {
    async run() {
      for (const result of results) result.dispose()
      results = make()
      await evaluate(...results)
    },
    wait: () => device.sync(),
    // Outputs are f32 or f16, whose elements are read as a Float32Array.
    read: () => Promise.all(results.map(async (result) => await result.data() as Float32Array)),
  }
}
