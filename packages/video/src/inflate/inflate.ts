import { ConfigError } from '@antipode/core'
import { Initialiser, type InitialiserOptions, Module } from '@antipode/core/nn'
import { callable, checkArgument, checkOptions, flag, oneOf, whole } from '@antipode/core/options'
import type { UNet2DConditionModel } from '@antipode/models'
import type { Layer } from '../temporal/index.ts'
import { type TemporalSite, temporalSites } from './sites.ts'
import { TemporalLayers, VideoUNet } from './video-unet.ts'

/** Makes the temporal block `[B,C,F,H,W] -> [B,C,F,H,W]` for a place, or undefined to leave it as it is. */
export type TemporalBlock = (init: Initialiser, site: TemporalSite) => (Module & Layer) | undefined

/**
 * Makes a video model of an image model: the same layers and tensors, run on every frame, with temporal blocks let in after
 * the resnets and attentions that `block` chooses. Blocks start as the identity, so every frame comes out as the image
 * model alone would make it, until they are trained. Disposing the video model disposes the image model with it.
 *
 * @param block is asked once for each place; see {@link TemporalSite}
 * @param options seed of the new parameters (whole in [0, 2^53), 0 by default), their dtype (the image model's by default), and
 * whether they are placeholders (false by default)
 * @throws {ConfigError} if `block` chooses no place or gives something else than a layer, or an option is unknown or out of its range
 * @example
 * const video = inflate(unet, (init, { endsPair, channels }) =>
 *   endsPair ? new TemporalAttention(init, { channels }) : undefined)
 */
export function inflate(
  unet: UNet2DConditionModel,
  block: TemporalBlock,
  options: Partial<InitialiserOptions> = {},
): VideoUNet {
  checkArgument('inflate', 'block', block, callable)
  checkOptions('inflate', options, { seed: whole(0), dtype: oneOf('f32', 'f16', 'bf16'), placeholders: flag })
  const init = new Initialiser(unet.device, { ...options, seed: options.seed ?? 0, dtype: options.dtype ?? unet.convIn.weight.dtype })
  const layers = new Map<string, Module & Layer>()
  for (const site of temporalSites(unet)) {
    const layer = block(init, site)
    if (!layer) continue
    const given: unknown = layer
    if (!(given instanceof Module && 'forward' in given)) throw new ConfigError(`inflate: expected a layer or nothing for ${site.name}, got something else; give the block itself, not a promise of one`)
    layers.set(site.name, layer)
  }
  if (layers.size === 0) {
    throw new ConfigError('inflate: expected a temporal block in at least one place, got none; return one for some site')
  }
  return new VideoUNet(unet, new TemporalLayers(layers))
}
