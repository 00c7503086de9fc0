import { NumericError } from '@antipode/core'

/** Why a run was given up. */
export interface Collapse {
  /** Name of the rule that was met. */
  readonly rule: string
  /** The step at which it was met, and the one with which that began. */
  readonly step: number
  readonly since: number
  /** What it was, in words. */
  readonly because: string
}

/**
 * A run was given up by a rule that it was started with. Its checkpoint, if it has one, is from before that began.
 */
export class CollapseError extends NumericError {
  readonly collapse: Collapse

  /** @param checkpoint where the run can be gone on from, if it was saved */
  constructor(collapse: Collapse, checkpoint?: string) {
    const { rule, step, since, because } = collapse
    const from = checkpoint === undefined ? '' : `, and go on from ${checkpoint}, which is from before step ${since}`
    super(
      `train: step ${step}: expected a run that learns, got ${because}; lower the learning rate or raise beta${from}`,
      { where: rule },
    )
    this.collapse = collapse
  }
}
