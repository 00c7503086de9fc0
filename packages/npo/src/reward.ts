import type { Tensor } from '@antipode/core'
import type { Condition } from './denoiser.ts'

/** What judges samples `[B, ...]` by their conditions: B numbers, `[B]`; more is better. */
export type Reward<C extends Condition> = (samples: Tensor, condition: C) => Tensor
