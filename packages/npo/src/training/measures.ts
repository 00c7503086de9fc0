import { compile, concat, constant, gradients, type Tensor } from '@antipode/core'
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

/** Takes a batch's loss, its gradients and their norm; with a `lossScale`, gradients by way of so many times the loss. */
export type Measuring<B> = (batch: B, lossScale?: number) => Measures

/** What measures the batches of a run. */
export function measuring<B>(options: MeasuringOptions<B>): Measuring<B> {
  const { parameters, loss: lossOf, clipNorm = Infinity, compile: once = false } = options
  const measure = (batch: B, lossScale?: Tensor): Measures => {
    const { loss, metrics } = lossOf(batch)
    const over = [...parameters.values()]
    const grads = lossScale
      ? gradients(loss.to('f32').mul(lossScale), over).map((g) => g.div(lossScale))
      : gradients(loss, over)
    const { norm, scale } = clipGradNorm(grads, clipNorm)
    const report = concat([loss, norm, ...Object.values(metrics)].map((t) => t.to('f32').reshape([1])))
    return { report, names: Object.keys(metrics), grads, scale }
  }
  const run = once ? compile(measure) : measure
  const [any] = parameters.values() as Iterable<Tensor> as [Tensor] // a run has at least one
  return (batch, lossScale) => (lossScale === undefined ? run(batch) : run(batch, constant(any.device, [lossScale])))
}
