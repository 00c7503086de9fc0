import { conv2d, type Device, evaluate, gradients, logSoftmax, tensor } from '@antipode/core'
import { sgd } from '@antipode/core/optim'
import { netShapes } from '../reference/index.ts'
import type { Prepared, Problem } from '../workload.ts'
import { learningRate } from '../workloads/index.ts'
import { upload } from './forward.ts'

/** The small conv net and its optimiser; each run is a step. */
export function training(device: Device, problem: Problem): Prepared {
  const t = upload(device, problem)
  const names = Object.keys(netShapes)
  const parameters = new Map(names.map((name) => [name, t(name)]))
  const optimizer = sgd({ lr: learningRate })
  const labels = problem.inputs['labels']?.data ?? new Float32Array()
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
    wait: () => device.sync(),
    read: async () => [Float32Array.of(loss), ...(before ?? []), ...await weights()],
  }
}
