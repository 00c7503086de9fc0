import { type Device, type Tensor, tensor } from '@antipode/core'
import { sampleToEnd } from '@antipode/npo'
import { schedulerSolvers, type SolverName, stepCount } from '../models/index.ts'
import { mainThreadTime } from '../cpu-time.ts'
import type { Prepared, Problem } from '../workload.ts'

/** Sampling runs that are timed together. */
const runs = 4

/**
 * A whole sampling run whose model costs nothing: it always gives the same prediction. What is left is the solver's arithmetic,
 * its graph, the device's recognition of it, encoding and submitting. The CPU time is that of JavaScript's thread alone, less its
 * waits for the GPU: with a model they are waits for the model, and on a software adapter other threads do the GPU's work.
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
      const waits = queueWaits()
      try {
        const [begun, before] = [performance.now(), mainThreadTime()]
        for (let i = 0; i < runs; i++) await run()
        const cpu = mainThreadTime() - before - waits.milliseconds
        return { wall: (performance.now() - begun) / runs, cpu: cpu / runs }
      } finally {
        waits.stop()
        await device.sync()
      }
    },
  }
}

/** Adds up the CPU time of JavaScript's thread from asking a queue to tell when it is done until it tells: Dawn's binding polls. */
function queueWaits(): { readonly milliseconds: number; readonly stop: () => void } {
  let milliseconds = 0
  const { prototype } = GPUQueue
  const original = prototype.onSubmittedWorkDone
  prototype.onSubmittedWorkDone = async function (this: GPUQueue) {
    const before = mainThreadTime()
    const done = await original.call(this)
    milliseconds += mainThreadTime() - before
    return done
  }
  return {
    get milliseconds() { return milliseconds },
    stop: () => { prototype.onSubmittedWorkDone = original },
  }
}
