import { ConfigError, ShapeError, type Tensor } from '@antipode/core'
import type { Module } from '@antipode/core/nn'
import type { Wrapper, Wrappers } from '../layers/index.ts'
import type { UNet2DConditionModel } from './unet-2d-condition.ts'

/** What a ControlNet adds to a UNet. */
export interface Residuals {
  /** One for each output of the way down in its order, that of `conv_in` first, in its shape. */
  readonly skips: readonly Tensor[]
  /** For the output of the middle. */
  readonly middle?: Tensor
}

/**
 * Wrappers that add residuals to what comes across, and to what the middle gives; what goes further down stays as it
 * is. Source: Zhang et al. 2023, https://arxiv.org/abs/2302.05543, section 3.2; `down_block_additional_residuals` of
 * diffusers.
 * @throws {ShapeError} if there is not a residual for each output of the way down @throws {ConfigError} for a middle
 * that is not there
 */
export function addResiduals(unet: UNet2DConditionModel, { skips, middle }: Residuals): Wrappers {
  // The way up takes the last output of the way down first.
  const takers = unet.upBlocks.flatMap(({ resnets }) => resnets).toReversed()
  if (skips.length !== takers.length) {
    throw new ShapeError(
      `addResiduals: expected ${takers.length} residuals, one for each output of the way down, got ${skips.length}`,
    )
  }
  const added = (h: Tensor, residual: Tensor): Tensor => h.add(residual.to(h.dtype))
  const wrappers = new Map<Module, Wrapper>(takers.map((resnet, k) => [
    resnet, (run, [below, across]) => run(below as Tensor, added(across as Tensor, skips[k] as Tensor)),
  ]))
  if (!middle) return wrappers
  if (!unet.midBlock) throw new ConfigError('addResiduals: expected no residual for the middle, as the model has none')
  return wrappers.set(unet.midBlock, (run, inputs) => added(run(...inputs), middle))
}
