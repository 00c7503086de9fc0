import { attentionNames } from '../keymaps/index.ts'
import { type ControlNetConfig, ControlNetModel, resolveControlNetConfig } from '../unet/index.ts'
import type { ModelEntry } from './model-entry.ts'
import { checkLayers } from './unet-2d-condition.ts'

/** ControlNets of Stable Diffusion and of its vocabulary. */
export const controlNet: ModelEntry<ControlNetModel> = {
  className: 'ControlNetModel',
  build(init, stored, tensors) {
    const config = stored as ControlNetConfig // the model checks each field
    checkLayers('ControlNetModel', resolveControlNetConfig(config).unet, tensors)
    return new ControlNetModel(init, config)
  },
  names: attentionNames,
}
