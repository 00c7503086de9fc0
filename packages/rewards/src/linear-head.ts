import type { Tensor } from '@antipode/core'
import { type Initialiser, Linear } from '@antipode/core/nn'

/** Widths between features and score. */
const hidden = [1024, 128, 64, 16] as const

/** Layers of a head by their numbers, with gaps where dropout was, which is off. */
export type HeadLayers = readonly (Linear | undefined)[]

/** The five linear layers of the heads of LAION's aesthetic predictor and of ImageReward, to be loaded. */
export function headLayers(init: Initialiser, width: number): HeadLayers {
  const [a, b, c, d] = hidden
  const layer = (inputs: number, outputs: number): Linear => Linear.of(init, inputs, outputs)
  const [first, second, third] = [layer(width, a), layer(a, b), layer(b, c)]
  return [first, undefined, second, undefined, third, undefined, layer(c, d), layer(d, 1)]
}

/** Scores `[B]` of features `[B, width]`. */
export function scoreBy(layers: HeadLayers, features: Tensor): Tensor {
  return layers.reduce((y, layer) => layer?.forward(y) ?? y, features).squeeze(1)
}
