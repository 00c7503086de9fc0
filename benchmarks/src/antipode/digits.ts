import { compile, type Device, evaluate, type Tensor, tensor } from '@antipode/core'
import { adamw } from '@antipode/core/optim'
import { type PairBatch, train } from '@antipode/npo'
import { denoised, digitsModel, dpoTask } from '../models/index.ts'
import type { Prepared, Problem } from '../workload.ts'

/** A step of sampling digits. */
export async function digitsStep(device: Device, { inputs }: Problem): Promise<Prepared> {
  const unet = await digitsModel(device)
  const { data = [], shape = [] } = inputs['x'] ?? {}
  const x = tensor(device, data, shape)
  const step = compile((sample: Tensor) => denoised(unet, sample))
  let result: Tensor | undefined
  return {
    async run() {
      result?.dispose()
      result = step(x)
      await evaluate(result)
    },
    wait: () => device.sync(),
    read: async () => [await result?.data() as Float32Array],
  }
}

/** Steps of preference training: forward and backward of the tuned model, forward of the base, clipping, AdamW and the report. */
export async function digitsDpo(device: Device, problem: Problem): Promise<Prepared> {
  const steps = train<PairBatch<Tensor>>({ ...dpoTask(await digitsModel(device), problem.inputs), optimizer: adamw({ lr: 1e-3, weightDecay: 0 }), clipNorm: 1, compile: true, steps: 1e6 })
  let reported = new Float32Array()
  return {
    async run() {
      const { value } = await steps.next()
      if (value) reported = Float32Array.of(value.loss, value.gradNorm, value.metrics['error'] ?? Number.NaN)
    },
    wait: () => device.sync(),
    read: () => Promise.resolve([reported]),
  }
}
