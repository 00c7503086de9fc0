import type { Tensor } from '@antipode/core'

/** What the branches of guidance predict for one call, in one shape. */
export interface Predictions {
  /** What to move towards. */
  readonly positive: Tensor
  /** What to move away from; where its branch was not run, the positive prediction stands for it. */
  readonly negative: Tensor
  /** What a worse model predicts, at the calls at which the guider `perturbs`. */
  readonly perturbed?: Tensor
}

/** Where in a run a call of the model stands. */
export interface GuidancePoint {
  /** Index of the call, from 0; solvers of Heun's kind make two a step. */
  readonly step: number
  /** Calls of the whole run. */
  readonly steps: number
  /**
   * Noise relative to signal in the sample that the call is made for, σ of Karras et al.: ∞ where there is no signal.
   */
  readonly sigma: number
  /** The same for the next call, 0 after the last. */
  readonly nextSigma: number
}

/** What a guider remembers from call to call: tensors by name, none at first. */
export type GuidanceState = Readonly<Record<string, Tensor>>

/** A call's place, and what the guider remembers of those before. */
export interface GuidanceCall extends GuidancePoint {
  readonly state: GuidanceState
}

/** The guided prediction, and the state for the next call. */
export interface Guided {
  readonly prediction: Tensor
  readonly state: GuidanceState
}

/**
 * How two predictions, or three, become one. Guiders are pure: all that lasts from call to call is in the state, so that
 * a run can stop, go on and branch. Where a guider neither is active nor perturbs, `guide` is not asked: the positive
 * prediction is the result.
 */
export interface Guider {
  /** Whether the guider reads the negative prediction of a call: where it does not, that branch is not run. */
  active(at: GuidancePoint): boolean
  /** Whether it reads the perturbed one, see {@link perturbed}; one without such a method never does. */
  perturbs?(at: GuidancePoint): boolean
  guide(predictions: Predictions, call: GuidanceCall): Guided
}
