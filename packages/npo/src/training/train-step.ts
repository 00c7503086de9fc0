/** What a step was measured at, before its update. */
export interface Measured {
  readonly loss: number
  /** Norm of all gradients before clipping; of a step that was left out it is not finite. */
  readonly gradNorm: number
  readonly metrics: Readonly<Record<string, number>>
  /** What the loss was multiplied by for its gradients, where there is a `lossScaler`. */
  readonly lossScale?: number
  /** Whether its gradients were not finite at that scale, so that it was left out: nothing but the scale has changed. */
  readonly leftOut?: boolean
}

/** All that a step was measured at, by name. */
export function valuesOf({ loss, gradNorm, metrics }: Measured): Readonly<Record<string, number>> {
  return { ...metrics, loss, gradNorm }
}

/** What one step of training did. */
export interface TrainStep extends Measured {
  /** Number of the step just made, from 0. */
  readonly step: number
  readonly steps: number
}
