import type { Module } from '@antipode/core/nn'
import { checkOptions } from '@antipode/core/options'
import { identityAttention, type Wrappers } from '../layers/index.ts'
import { layersRange, type PerturbationOptions, selfAttentions } from './layer-choice.ts'

/**
 * The perturbed branch of perturbed-attention guidance (PAG): in the chosen self-attentions every pixel sees itself
 * alone, so that what it looks like stays and where things are is lost.
 * @throws {ConfigError} if an option is unknown, or a choice finds no self-attention
 * Source: Ahn et al. 2024, arXiv 2403.17377, eq. 12; diffusers perturbs the middle block by default.
 */
export function perturbedAttention(model: Module, options: PerturbationOptions = {}): Wrappers {
  checkOptions('perturbedAttention', options, { layers: layersRange })
  const layers = selfAttentions('perturbedAttention', model, options.layers)
  return new Map(layers.map(([, layer]) => [layer, identityAttention(layer)]))
}
