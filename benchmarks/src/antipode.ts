import {
  conv2d, Device, evaluate, gradients, groupNorm, logSoftmax, scaledDotProductAttention, type Tensor, tensor,
} from '@antipode/core'
import { sgd } from '@antipode/core/optim'
import packageFile from '../../packages/core/package.json' with { type: 'json' }
import { netShapes } from './reference.ts'
import type { Prepared, Runner, Workload } from './workload.ts'
import { learningRate } from './workloads.ts'

/** This library, as its users call it: every run builds its graph anew, and the device recognises it. */
export async function open(): Promise<Runner> {
  const device = await Device.request()
  const { adapter } = device
  return {
    name: 'antipode', version: packageFile.version, adapter: adapter.description, software: adapter.software,
    prepare: async (workload) => (workload.kind === 'trainStep' ? training(device, workload) : forward(device, workload)),
  }
}

function upload(device: Device, { inputs }: Workload): (name: string) => Tensor {
  const tensors = new Map(Object.entries(inputs).map(([name, { data, shape }]) => [name, tensor(device, data, shape)]))
  return (name) => tensors.get(name) as Tensor
}

function forward(device: Device, workload: Workload): Prepared {
  const t = upload(device, workload)
  const repeat = (start: Tensor, next: (x: Tensor) => Tensor): Tensor => {
    let x = start
    for (let i = 0; i < (workload.repeats ?? 1); i++) x = next(x)
    return x
  }
  const compute: Record<Exclude<Workload['kind'], 'trainStep'>, () => Tensor> = {
    matmul: () => t('a').matmul(t('b')),
    conv3x3: () => conv2d(t('x'), t('w'), { padding: 1 }),
    attention: () => scaledDotProductAttention(t('q'), t('k'), t('v')),
    groupNormSilu: () => groupNorm(t('x'), 32, { weight: t('weight'), bias: t('bias') }).silu(),
    add: () => t('a').add(t('b')),
    addChain: () => repeat(t('x'), (x) => x.add(t('b'))),
    matmulChain: () => repeat(t('x'), (x) => x.matmul(t('r'))),
  }
  const make = compute[workload.kind as keyof typeof compute]
  let result: Tensor | undefined
  return {
    async run() {
      result?.dispose()
      result = make()
      await evaluate(result)
      await device.sync()
    },
    read: async () => [await result?.data() as Float32Array],
  }
}

function training(device: Device, workload: Workload): Prepared {
  const t = upload(device, workload)
  const names = Object.keys(netShapes)
  const parameters = new Map(names.map((name) => [name, t(name)]))
  const optimizer = sgd({ lr: learningRate })
  const labels = workload.inputs['labels']?.data ?? []
  const oneHot = tensor(device, Float32Array.from({ length: labels.length * 10 }, (_, i) => (labels[Math.floor(i / 10)] === i % 10 ? 1 : 0)), [labels.length, 10])
  const weights = async (): Promise<Float32Array[]> => Promise.all(names.map(async (name) => await t(name).data() as Float32Array))
  let before: Float32Array[] | undefined
  let loss = 0
  return {
    async run() {
      before ??= await weights()
      let x = conv2d(t('images'), t('conv1'), { padding: 1 }).relu()
      x = conv2d(x, t('conv2'), { padding: 1, stride: 2 }).relu()
      x = conv2d(x, t('conv3'), { padding: 1, stride: 2 }).relu()
      const logits = x.reshape([labels.length, -1]).matmul(t('dense'), { transposeB: true })
      const value = logSoftmax(logits).mul(oneHot).sum().div(-labels.length)
      const updates = optimizer.update(parameters, gradients(value, [...parameters.values()]))
      await evaluate(value, ...updates)
      loss = await value.item()
      for (const made of [value, ...updates]) made.dispose()
    },
    read: async () => [Float32Array.of(loss), ...(before ?? []), ...await weights()],
  }
}
