import { ConfigError } from '@antipode/core'
import { attentionNames } from '../keymaps/index.ts'
import { type ResolvedUNet2DConfig, resolveUNet2DConfig, type UNet2DConfig, UNet2DConditionModel } from '../unet/index.ts'
import type { ModelEntry } from './model-entry.ts'

/** UNets of Stable Diffusion and of its vocabulary, also with the attention names of early diffusers. */
export const unet2DCondition: ModelEntry<UNet2DConditionModel> = {
  className: 'UNet2DConditionModel',
  build(init, stored, tensors) {
    const config = stored as UNet2DConfig // the model checks each field
    checkLayers('UNet2DConditionModel', resolveUNet2DConfig(config), tensors)
    return new UNet2DConditionModel(init, config)
  },
  names: attentionNames,
}

/**
 * A layer has many tensors: a configuration of a billion layers would fill the memory before their names could be
 * compared. @throws {ConfigError}
 */
export function checkLayers(
  where: string,
  { layers, transformerLayers }: ResolvedUNet2DConfig,
  tensors: number,
): void {
  const inner = (i: number): number => [transformerLayers[i] ?? 0].flat().reduce((a, b) => Math.max(a, b), 0)
  const least = layers.reduce((sum, n, i) => sum + n + inner(i), 0)
  if (least <= tensors) return
  throw new ConfigError(`${where}: expected ${tensors} layers at most, as the file has no more tensors, got ${least}`)
}
