import { type Device, type Tensor, tensor } from '@antipode/core'
import { sampleToEnd } from '@antipode/npo'
import { schedulerSolvers, type SolverName, stepCount } from '../models/index.ts'
import { mainThreadTime } from '../run/cpu-time.ts'
import type { Prepared, Problem } from '../workload.ts'

/**
 * A whole sampling run whose model costs nothing: it always gives the same prediction. What is left is the solver's arithmetic,
 * its graph, the device's recognition of it, encoding and submitting. The CPU time is that of JavaScript's thread alone: the
 * threads of a software adapter do the GPU's work.
 */
export function schedulerStep(device: Device, { inputs, variant }: Problem): Prepared {
  const [noise, prediction] = ['noise', 'prediction'].map((name) => tensor(device, inputs[name]?.data ?? [], inputs[name]?.shape ?? [])) as [Tensor, Tensor]
  const solver = schedulerSolvers[variant as SolverName]()
  let result: Tensor | undefined
  const run = async (): Promise<void> => {
    result?.dispose()
    result = await sampleToEnd(() => prediction, solver, noise, undefined, { steps: stepCount })
  }
  return {
    run,
    wait: () => device.sync(),
    read: async () => [await result?.data() as Float32Array],
    async time() {
      const [begun, before] = [performance.now(), mainThreadTime()]
      await run()
      const cpu = mainThreadTime() - before
      const wall = performance.now() - begun
      await device.sync()
      return { wall, cpu }
    },
  }
}
