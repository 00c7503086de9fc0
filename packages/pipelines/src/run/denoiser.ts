import { concat, type Tensor } from '@antipode/core'
import type { AdapterWeights } from '@antipode/core/nn'
import {
  type IPAdapter, joinWrappers, receivedAttention, type UNet2DCondition, type UNet2DConditionModel, type Wrappers,
} from '@antipode/models'
import {
  blurredWhereAttended, cfg, type Denoiser, guided, type GuidedDenoiser, type Guider, type Perturbation,
} from '@antipode/npo'
import type { ModelPrediction } from '@antipode/schedulers'
import { adapted } from '../prompt/index.ts'
import type { PerturbedBranch } from '../request/index.ts'
import type { Conditions, RunCondition } from './family.ts'
import type { MemoryChoices } from '../memory/index.ts'

/** How the branches of a run are made one. */
export interface GuidanceOptions {
  readonly scale: number
  readonly rescale: number
  readonly guider: Guider | undefined
  /** The third branch, for guiders that perturb. */
  readonly perturbed: PerturbedBranch | undefined
  /** What the UNet predicts. */
  readonly predicts: ModelPrediction
  /** Adapters of both branches. */
  readonly positive: AdapterWeights
  readonly negative: AdapterWeights
  /** Whether branches of equal weights are one pass of twice the batch, the default, or two passes. */
  readonly branches?: MemoryChoices['branches']
  /** What looks at an image, and how much it counts. */
  readonly image?: ImageGuidance | undefined
}

/** An adapter by which cross-attention looks at tokens of an image. */
export interface ImageGuidance {
  readonly adapter: IPAdapter
  readonly scale: number
}

/** The UNet under guidance. */
export function denoiserOf(
  unet: UNet2DConditionModel,
  { negative }: Conditions,
  beside: Tensor | undefined,
  options: GuidanceOptions,
): Denoiser<RunCondition> | GuidedDenoiser<RunCondition> {
  const { scale, rescale, guider, perturbed, branches: passes, image } = options
  const one = passes !== 'apart' && sameWeights(options.positive, options.negative)
  const positive = branch(unet, options.positive, image)
  if (!negative) return positive
  const branches = {
    positive,
    negative: one ? positive : branch(unet, options.negative, image),
    unconditional: (): RunCondition => withBeside(negative, beside),
  }
  if (!guider) return cfg({ ...branches, scale, rescale })
  const third = perturbed === undefined ? {} : { perturbed: perturbedBranch(unet, branches, perturbed, options) }
  return guided({ ...branches, ...third, guider })
}

function perturbedBranch(
  unet: UNet2DConditionModel,
  { negative, unconditional }: { readonly negative: Denoiser<RunCondition>; readonly unconditional: () => RunCondition },
  how: PerturbedBranch,
  options: GuidanceOptions,
): Perturbation<RunCondition> {
  if (typeof how === 'function') return branch(unet, options.positive, options.image, how)
  if (how !== 'blurred') return branch(unet, how, options.image)
  const attention: Denoiser<RunCondition> = (x, timesteps, condition) =>
    receivedAttention(adapted(unet, options.negative))(...inputsOf(x, timesteps, condition))
  return blurredWhereAttended({ model: negative, unconditional, attention, predicts: options.predicts })
}

export function withBeside(condition: RunCondition, beside: Tensor | undefined): RunCondition {
  return beside ? { ...condition, beside } : condition
}

function branch(
  unet: UNet2DConditionModel,
  weights: AdapterWeights,
  image: ImageGuidance | undefined,
  wrapped?: (unet: UNet2DConditionModel) => Wrappers,
): Denoiser<RunCondition> {
  return (x, timesteps, condition) => {
    // Its weights may have been on their way between two calls.
    const model = adapted(unet, weights)
    const { imageTokens } = condition
    const wrappers = joinWrappers(
      ...(image && imageTokens ? [image.adapter.wrappers(model, imageTokens, image.scale)] : []),
      ...(wrapped ? [wrapped(model)] : []),
    )
    return model.forward(...inputsOf(x, timesteps, condition), { wrappers })
  }
}

/** What a UNet takes of a sample and what it is told. */
function inputsOf(
  x: Tensor,
  timesteps: Tensor,
  { beside, imageTokens: _, ...condition }: RunCondition,
): [x: Tensor, timesteps: Tensor, condition: UNet2DCondition] {
  return [beside ? concat([x, beside.to(x.dtype)], 1) : x, timesteps, condition]
}

/** Whether two mixtures are one: an adapter of weight 0 is as good as none. */
export function sameWeights(a: AdapterWeights, b: AdapterWeights): boolean {
  return Object.keys({ ...a, ...b }).every((name) => (a[name] ?? 0) === (b[name] ?? 0))
}
