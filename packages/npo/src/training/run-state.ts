import type { Tensor } from '@antipode/core'
import type { Ema, Optimizer } from '@antipode/core/optim'

/** What a run consists of at a step: everything that the next step depends on, besides the step's number. */
export interface RunState {
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly optimizer: Optimizer
  readonly ema?: Ema | undefined
}
