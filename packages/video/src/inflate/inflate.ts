import { ConfigError } from '@antipode/core'
import { type Initialiser, Module, randomParameters } from '@antipode/core/nn'
import { anObject, callable, checkArgument, checkOptions } from '@antipode/core/options'
import type { UNet2DConditionModel } from '@antipode/models'
import type { Layer } from '../temporal/index.ts'
import { type TemporalSite, temporalSites } from './sites.ts'
import { TemporalLayers, VideoUNet } from './video-unet.ts'

/** Makes the temporal block `[B,C,F,H,W] -> [B,C,F,H,W]` for a place, or undefined to leave it as it is. */
export type TemporalBlock = (init: Initialiser, site: TemporalSite) => (Module & Layer) | undefined

/**
 * Makes a video model of an image model: the same layers and tensors, run on every frame, with temporal blocks let in
 * after the resnets and attentions that `block` chooses. Blocks start as the identity, so every frame comes out as the
 * image model alone would make it, until they are trained. Disposing the video model disposes the image model with it.
 *
 * @param block is asked once for each place; see {@link TemporalSite}
 * @param options.init makes the new parameters; by default drawn from seed 0, in the image model's element type
 * @throws {ConfigError} if `block` chooses no place or gives something else than a layer, or an option is unknown
 * @example
 * const video = inflate(unet, (init, { endsPair, channels }) =>
 *   endsPair ? new TemporalAttention(init, { channels }) : undefined)
 */
export function inflate(
  unet: UNet2DConditionModel,
  block: TemporalBlock,
  options: { readonly init?: Initialiser } = {},
): VideoUNet {
  checkArgument('inflate', 'block', block, callable)
  checkOptions('inflate', options, { init: anObject('a maker of parameters') })
  const { init = randomParameters(unet.device, { seed: 0, dtype: unet.dtype }) } = options
  const layers = new Map<string, Module & Layer>()
  for (const site of temporalSites(unet)) {
    const layer = block(init, site)
    if (!layer) continue
    const given: unknown = layer
    if (!(given instanceof Module && 'forward' in given)) {
      throw new ConfigError(
        `inflate: expected a layer or nothing for ${site.name}, got something else; ` +
          'give the block itself, not a promise of one',
      )
    }
    layers.set(site.name, layer)
  }
  if (layers.size === 0) {
    throw new ConfigError(
      'inflate: expected a temporal block in at least one place, got none; return one for some site',
    )
  }
  return new VideoUNet(unet, new TemporalLayers(layers))
}
