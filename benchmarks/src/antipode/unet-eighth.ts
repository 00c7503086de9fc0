import { type Device, evaluate, type Tensor } from '@antipode/core'
import { unetEighthInputs, unetEighthModel, unetEighthPrediction } from '../models/index.ts'
import type { Prepared } from '../workload.ts'

/** One forward pass of the small Stable Diffusion UNet. */
export async function unetEighth(device: Device): Promise<Prepared> {
  const model = unetEighthModel(device)
  const inputs = unetEighthInputs(device)
  await evaluate(inputs.x, inputs.context)
  let result: Tensor | undefined
  return {
    async run() {
      result?.dispose()
      result = unetEighthPrediction(model, inputs)
      await evaluate(result)
    },
    wait: () => device.sync(),
    read: async () => [await result?.data() as Float32Array],
  }
}
