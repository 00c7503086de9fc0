import { compile, concat, gradients, type Tensor } from '@antipode/core'
import { clipGradNorm } from '@antipode/core/optim'
import type { LossAndMetrics } from '../objectives/index.ts'

/** All of a step that depends on its batch alone, yet to be computed. */
export interface Measures {
  /** Loss, norm of the gradients and metrics, f32. */
  readonly report: Tensor
  /** Names of the metrics, in their order in the report. */
  readonly names: readonly string[]
  readonly grads: readonly Tensor[]
  /** The factor that clips the gradients. */
  readonly scale: Tensor
}

/** As much of a run's options as say what is measured. */
export interface MeasuringOptions<B> {
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly loss: (batch: B) => LossAndMetrics
  readonly clipNorm?: number
  readonly compile?: boolean
}

/** What takes a batch's loss, its gradients and their norm. */
export function measuring<B>(options: MeasuringOptions<B>): (batch: B) => Measures {
  const { parameters, loss: lossOf, clipNorm = Infinity, compile: once = false } = options
  const measure = (batch: B): Measures => {
    const { loss, metrics } = lossOf(batch)
    const grads = gradients(loss, [...parameters.values()])
    const { norm, scale } = clipGradNorm(grads, clipNorm)
    const report = concat([loss, norm, ...Object.values(metrics)].map((t) => t.to('f32').reshape([1])))
    return { report, names: Object.keys(metrics), grads, scale }
  }
  return once ? compile(measure) : measure
}
