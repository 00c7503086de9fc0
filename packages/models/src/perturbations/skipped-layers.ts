import { type Tensor, zeros } from '@antipode/core'
import type { Module } from '@antipode/core/nn'
import { checkOptions, oneOf } from '@antipode/core/options'
import type { Wrapper, Wrappers } from '../layers/index.ts'
import { layersRange, type PerturbationOptions, transformerBlocks } from './layer-choice.ts'

/** Options of {@link skippedLayers}. */
export interface SkippedLayersOptions extends PerturbationOptions {
  /** What is left out of the chosen transformer blocks: all, which is the default, or what one part adds. */
  readonly part?: 'block' | 'selfAttention' | 'feedForward'
}

/** What goes on is what came. */
const skip: Wrapper = (_run, [x]) => x as Tensor
const addNothing: Wrapper = (_run, [x]) => {
  const { device, shape, dtype } = x as Tensor
  return zeros(device, shape, { dtype })
}

/**
 * A model without some of its transformer blocks: the perturbed branch of skip-layer guidance (SLG), and a worse model
 * for autoguidance that needs no training.
 * @throws {ConfigError} if an option is unknown, or a choice finds no transformer block
 * Source: Hyung et al. 2024, arXiv 2411.18664; diffusers `layer_skip.py`, whose hooks on a part let go on what came to
 * that part, here nothing is added.
 */
export function skippedLayers(model: Module, options: SkippedLayersOptions = {}): Wrappers {
  checkOptions('skippedLayers', options, { part: oneOf('block', 'selfAttention', 'feedForward'), layers: layersRange })
  const { part = 'block' } = options
  const blocks = transformerBlocks('skippedLayers', model, options.layers)
  return new Map(blocks.map(([, block]): readonly [Module, Wrapper] => {
    if (part === 'block') return [block, skip]
    return [part === 'feedForward' ? block.ff : block.attn1, addNothing]
  }))
}
