import { isDone, type Linear, type SchedulerState } from '@antipode/schedulers'
import { schedulerSolvers, type SolverName, stepCount } from '../models/index.ts'
import { at, relativeError, samples } from '../reference/index.ts'
import type { Workload } from '../workload.ts'
import { normals } from './normals.ts'

const shape = [1, 4, 64, 64]

/** Everything of a sampling step but the model, for a latent image `[1,4,64,64]`. */
export function schedulerStep(solver: SolverName): Workload {
  const id = `scheduler-step-${solver}`
  return {
    id, kind: 'schedulerStep', group: 'scheduler steps', variant: solver, title: `sampling step without a model, ${solver}`,
    work: { amount: stepCount, unit: 'op' }, tolerance: 1e-4,
    make() {
      const normal = normals(id)
      const inputs = { noise: normal(shape), prediction: normal(shape) }
      return {
        inputs,
        error([x = new Float32Array()]) {
          const want = sampled(solver, Float64Array.from(inputs.noise.data), Float64Array.from(inputs.prediction.data))
          return relativeError(x, (i) => at(want, i), samples(want.length, want.length))
        },
      }
    },
  }
}

/** The same run on arrays, in float64. */
function sampled(name: SolverName, noise: Float64Array, prediction: Float64Array): Float64Array {
  const linear: Linear<Float64Array> = {
    combine: (terms) => noise.map((_, i) => terms.reduce((sum, [c, x]) => sum + c * at(x, i), 0)),
  }
  const solver = schedulerSolvers[name]()
  const plan = solver.timesteps(stepCount)
  let state: SchedulerState<Float64Array> = solver.begin(plan)
  const sigma = solver.initNoiseSigma(plan)
  let x: Float64Array = noise.map((v) => v * sigma)
  while (!isDone(state)) {
    const next = solver.step(linear, state, prediction, x)
    x = next.sample
    state = next.state
  }
  return x
}
