import type { Tensor } from '@antipode/core'
import type { AdapterWeights, Module } from '@antipode/core/nn'
import type { Condition, Denoiser, Reward } from '@antipode/npo'
import type { Schedule } from '@antipode/schedulers'

/** A model that learns from what it samples itself, and what is asked of its samples. */
export interface OnlineTask<C extends Condition> extends Disposable {
  readonly unet: Module
  /** Layers that an adapter changes. */
  readonly targets: RegExp
  readonly schedule: Schedule
  /** The model with adapters of these weights. */
  denoiser(weights: AdapterWeights): Denoiser<C>
  /** Shape of so many samples. */
  shape(count: number): readonly number[]
  /** Prompts, or classes, that samples are made of. */
  readonly prompts: readonly string[]
  /** What the model is told, by numbers of prompts. */
  condition(prompts: readonly number[]): C
  unconditional(condition: C): C
  /** Of samples, differentiable; none where a method needs none. */
  readonly reward: Reward<C> | undefined
  /** Changes each estimate of the clean sample. */
  readonly x0?: (x0: Tensor) => Tensor
  /** Samples as pictures in [0, 1], `[B, 1 or 3, H, W]`. */
  pictures(samples: Tensor): Tensor
  /** One text for the files that it was made of. */
  readonly digest: string
}
