import { concat, evaluate, type Tensor } from '@antipode/core'
import { clipGradNorm } from '@antipode/core/optim'
import type { Measures } from './measures.ts'
import { type ReduceGradients, reduceGradients } from './reduce.ts'
import type { TrainOptions } from './train-options.ts'
import type { Measured } from './train-step.ts'

/** Loss, gradients, update, average and metrics: one graph, one submission and one reading. */
export async function makeStep<B>(
  { parameters, optimizer, clipNorm, ema }: TrainOptions<B>,
  { report, names, grads, scale }: Measures,
  lr: number,
): Promise<Measured> {
  const updates = optimizer.update(parameters, grads, clipNorm === undefined ? { lr } : { lr, gradScale: scale })
  const averages = ema?.update(new Map([...parameters.keys()].map((name, i) => [name, updates[i] as Tensor]))) ?? []
  try {
    await evaluate(report, ...updates, ...averages)
    return await measuredIn(report, names)
  } finally {
    for (const t of [report, ...updates, ...averages]) t.dispose()
  }
}

/**
 * The same step with gradients that are reduced on their way, or must be finite for it to be made: they are computed
 * first, and clipped and applied by a graph of their own.
 */
export async function reducedStep<B>(
  options: TrainOptions<B>, reduce: ReduceGradients, measures: Measures, lr: number, step: number,
): Promise<Measured> {
  const { names } = measures
  const { parameters, clipNorm = Infinity, lossScaler } = options
  using measured = measures.report
  using reduced = await reduceGradients(reduce, [...parameters.keys()], measures.grads, measured, step)
  const { grads } = reduced
  const { norm, scale } = clipGradNorm(grads, clipNorm)
  const rest = names.length > 0 ? [measured.slice(0, 2)] : []
  const report = concat([measured.slice(0, 0, 1), norm.reshape([1]), ...rest])
  if (!lossScaler) return await makeStep(options, { ...measures, report, grads, scale }, lr)
  const { scale: lossScale } = lossScaler
  using factor = scale
  using kept = report
  await evaluate(kept, factor)
  const found = await measuredIn(kept, names)
  const finite = Number.isFinite(found.gradNorm)
  lossScaler.update(finite)
  if (!finite) return { ...found, lossScale, leftOut: true }
  return { ...await makeStep(options, { ...measures, report: kept, grads, scale: factor }, lr), lossScale }
}

async function measuredIn(report: Tensor, names: readonly string[]): Promise<Measured> {
  const [loss = Number.NaN, gradNorm = Number.NaN, ...numbers] = await report.data()
  return { loss, gradNorm, metrics: Object.fromEntries(names.map((name, i) => [name, numbers[i] ?? Number.NaN])) }
}
