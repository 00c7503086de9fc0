import { concat, type Tensor } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import type { IPAdapter, UNet2DConditionModel } from '@antipode/models'
import { cfg, type Denoiser, guided, type GuidedDenoiser, type Guider } from '@antipode/npo'
import { adapted } from '../prompt/index.ts'
import type { Conditions, RunCondition } from './family.ts'

/** How the branches of a run are made one. */
export interface GuidanceOptions {
  readonly scale: number
  readonly rescale: number
  readonly guider: Guider | undefined
  /** Adapters of both branches. */
  readonly positive: AdapterWeights
  readonly negative: AdapterWeights
  /** What looks at an image, and how much it counts. */
  readonly image?: ImageGuidance | undefined
}

/** An adapter by which cross-attention looks at tokens of an image. */
export interface ImageGuidance {
  readonly adapter: IPAdapter
  readonly scale: number
}

/** The UNet under guidance. Branches of equal weights are one pass of twice the batch. */
export function denoiserOf(
  unet: UNet2DConditionModel,
  { negative }: Conditions,
  beside: Tensor | undefined,
  options: GuidanceOptions,
): Denoiser<RunCondition> | GuidedDenoiser<RunCondition> {
  const { scale, rescale, guider, image } = options
  const positive = branch(unet, options.positive, image)
  if (!negative) return positive
  const branches = {
    positive,
    negative: sameWeights(options.positive, options.negative) ? positive : branch(unet, options.negative, image),
    unconditional: (): RunCondition => withBeside(negative, beside),
  }
  return guider ? guided({ ...branches, guider }) : cfg({ ...branches, scale, rescale })
}

export function withBeside(condition: RunCondition, beside: Tensor | undefined): RunCondition {
  return beside ? { ...condition, beside } : condition
}

function branch(
  unet: UNet2DConditionModel,
  weights: AdapterWeights,
  image: ImageGuidance | undefined,
): Denoiser<RunCondition> {
  const model = adapted(unet, weights)
  return (x, timesteps, { beside, imageTokens, ...condition }) => {
    const looks = image && imageTokens ? { wrappers: image.adapter.wrappers(model, imageTokens, image.scale) } : {}
    return model.forward(beside ? concat([x, beside.to(x.dtype)], 1) : x, timesteps, condition, looks)
  }
}

/** Whether two mixtures are one: an adapter of weight 0 is as good as none. */
function sameWeights(a: AdapterWeights, b: AdapterWeights): boolean {
  return Object.keys({ ...a, ...b }).every((name) => (a[name] ?? 0) === (b[name] ?? 0))
}
