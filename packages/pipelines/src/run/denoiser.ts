import { concat, type Tensor } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import type { UNet2DCondition, UNet2DConditionModel } from '@antipode/models'
import { cfg, type Denoiser, guided, type GuidedDenoiser, type Guider } from '@antipode/npo'
import { adapted } from '../prompt/index.ts'
import type { Conditions } from './family.ts'
import type { MemoryChoices } from '../memory/index.ts'

/** What a UNet is told, and what it sees beside the sample. */
export type RunCondition = UNet2DCondition & { readonly beside?: Tensor }

/** How the branches of a run are made one. */
export interface GuidanceOptions {
  readonly scale: number
  readonly rescale: number
  readonly guider: Guider | undefined
  /** Adapters of both branches. */
  readonly positive: AdapterWeights
  readonly negative: AdapterWeights
  /** Whether branches of equal weights are one pass of twice the batch, the default, or two passes. */
  readonly branches?: MemoryChoices['branches']
}

/** The UNet under guidance. */
export function denoiserOf(
  unet: UNet2DConditionModel,
  { negative }: Conditions,
  beside: Tensor | undefined,
  options: GuidanceOptions,
): Denoiser<RunCondition> | GuidedDenoiser<RunCondition> {
  const { scale, rescale, guider, branches: passes } = options
  const one = passes !== 'apart' && sameWeights(options.positive, options.negative)
  const positive = branch(unet, options.positive)
  if (!negative) return positive
  const branches = {
    positive,
    negative: one ? positive : branch(unet, options.negative),
    unconditional: (): RunCondition => withBeside(negative, beside),
  }
  return guider ? guided({ ...branches, guider }) : cfg({ ...branches, scale, rescale })
}

export function withBeside(condition: UNet2DCondition, beside: Tensor | undefined): RunCondition {
  return beside ? { ...condition, beside } : condition
}

function branch(unet: UNet2DConditionModel, weights: AdapterWeights): Denoiser<RunCondition> {
  // Its weights may have been on their way between two calls.
  return (x, timesteps, { beside, ...condition }) =>
    adapted(unet, weights).forward(beside ? concat([x, beside.to(x.dtype)], 1) : x, timesteps, condition)
}

/** Whether two mixtures are one: an adapter of weight 0 is as good as none. */
export function sameWeights(a: AdapterWeights, b: AdapterWeights): boolean {
  return Object.keys({ ...a, ...b }).every((name) => (a[name] ?? 0) === (b[name] ?? 0))
}
