import type { Tensor } from '@antipode/core'
import { Conv2d, GroupNorm, type Initialiser, type Layer } from '@antipode/core/nn'
import { normActivate, patchesToPixels } from '../layers/index.ts'
import { type DownBlock, type MidBlock, UpBlock } from './blocks.ts'
import type { UNet2DConfig } from './config.ts'
import { resolveUNet2DConfig } from './resolve-config.ts'
import { blockSizes, ofResnets, UNetEncoder, type UNet2DOptions } from './unet-encoder.ts'
import type { UNet2DCondition } from './unet-input.ts'

/**
 * The denoiser of Stable Diffusion 1.x, 2.x and XL, and of class-conditional models of the same vocabulary: a UNet
 * whose blocks are named in its configuration, with the parameter names of diffusers' checkpoints. Source: Rombach et
 * al. 2022; diffusers `unet_2d_condition.py`.
 */
export class UNet2DConditionModel extends UNetEncoder {
  readonly className = 'UNet2DConditionModel'
  readonly config: UNet2DConfig
  readonly upBlocks: readonly UpBlock[]
  readonly convNormOut: GroupNorm
  readonly convOut: Layer

  /** @throws {ConfigError} that names a field which is unknown or has a value that this model does not know */
  constructor(init: Initialiser, config: UNet2DConfig) {
    const c = resolveUNet2DConfig(config)
    super(init, c)
    this.config = config
    const { channels, groups, eps } = c
    const [first = 0] = channels
    const last = channels.length - 1
    const at = (i: number): number => channels[Math.max(0, Math.min(i, last))] ?? first
    this.upBlocks = c.upTypes.map((type, k) => {
      const i = last - k
      const layers = c.layers[i] ?? 0
      return new UpBlock(init, {
        ...blockSizes(c, type, i, k), inChannels: at(i + 1),
        upsample: i === 0 ? undefined : ofResnets.test(type) ? 'resnet' : 'conv',
        skipChannels: Array.from({ length: layers + 1 }, (_, layer) => (layer < layers ? at(i) : at(i - 1))),
      })
    })
    this.convNormOut = GroupNorm.of(init, groups, first, { eps })
    this.convOut = Conv2d.of(init, first, c.outChannels * c.patch ** 2, c.kernelOut, { padding: (c.kernelOut - 1) / 2 })
  }

  /**
   * x `[B, in_channels, H, W]`, timesteps `[B]`, or one number for all -> the prediction `[B, out_channels, H, W]`. The
   * patch size divides H and W. The prediction has x's dtype; in between the model computes in that of its parameters,
   * with sums and the waves of time in f32.
   * @throws {ConfigError} if a condition is missing, unknown, or none of the model's; an option is unknown; a timestep
   * is not finite; or a wrapper stands around a layer that this model does not run
   */
  forward(x: Tensor, timesteps: Tensor | number, condition: UNet2DCondition = {}, options: UNet2DOptions = {}): Tensor {
    const { call, skips, middle } = this.down({ x, timesteps, condition, options })
    const h = this.upBlocks.reduce((below, block) => block.forward(below, skips, call), middle)
    call.pass.checkReached(this.className)
    const out = this.convOut.forward(normActivate(this.convNormOut, h, this.resolved.activation))
    return patchesToPixels(out, this.resolved.patch).to(x.dtype)
  }

  protected override blocks(): (DownBlock | MidBlock | UpBlock)[] {
    return [...super.blocks(), ...this.upBlocks]
  }
}
