import type { Tensor } from '@antipode/core'
import type { Ema, LossScaler, Optimizer } from '@antipode/core/optim'
import type { Watch } from './watch.ts'

/** What a run consists of at a step: everything that the next step depends on, besides the step's number. */
export interface RunState {
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly optimizer: Optimizer
  readonly ema?: Ema | undefined
  readonly lossScaler?: LossScaler | undefined
  /** What the rules that may end the run remember. */
  readonly watch?: Pick<Watch, 'state' | 'load'> | undefined
}
