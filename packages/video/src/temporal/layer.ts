import type { Tensor } from '@antipode/core'

/** Anything that maps a tensor to a tensor, as most modules do. */
export interface Layer {
  forward(x: Tensor): Tensor
}
