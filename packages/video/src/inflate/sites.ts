import { AttentionBlock2D, ResnetBlock2D, Transformer2DModel, type UNet2DConditionModel } from '@antipode/models'

/** A place in a 2-D UNet where a temporal block can enter. */
export interface TemporalSite {
  /** The 2-D layer whose output the block gets, by its checkpoint name: `down_blocks.0.resnets.1`. */
  readonly name: string
  /** What that layer is. */
  readonly after: 'resnet' | 'attention'
  /** Whether it is the last of its pair: an attention, or a resnet that has none behind it. */
  readonly endsPair: boolean
  /** Channels of its output. */
  readonly channels: number
}

/** Every resnet and attention of a UNet, in the order of its parameters. */
export function temporalSites(unet: UNet2DConditionModel): TemporalSite[] {
  const modules = new Map(unet.namedModules())
  const sites: TemporalSite[] = []
  for (const [name, module] of modules) {
    if (module instanceof ResnetBlock2D) {
      const endsPair = !modules.has(name.replace(/resnets\.(\d+)$/, 'attentions.$1'))
      sites.push({ name, after: 'resnet', endsPair, channels: module.outChannels })
    } else if (module instanceof Transformer2DModel) {
      sites.push({ name, after: 'attention', endsPair: true, channels: module.channels })
    } else if (module instanceof AttentionBlock2D) {
      sites.push({ name, after: 'attention', endsPair: true, channels: module.channels })
    }
  }
  return sites
}
