import type { Tensor } from '@antipode/core'
import type { Module } from '@antipode/core/nn'
import type { Ranges } from '@antipode/core/options'
import type { AdapterTargets, AutoencoderKL, UNet2DCondition, UNet2DConditionModel } from '@antipode/models'
import type { Scheduler } from '@antipode/schedulers'
import type { LearnedWords } from '../prompt/index.ts'
import type { GenerateOptions, Request } from '../request/index.ts'
import type { LatentColours } from './preview.ts'

/** What a UNet is told, what it sees beside the sample, and tokens of an image. */
export type RunCondition = UNet2DCondition & { readonly beside?: Tensor; readonly imageTokens?: Tensor }

/** What both branches are told, each `[B, …]`. */
export interface Conditions {
  readonly positive: RunCondition
  /** None where nothing is guided. */
  readonly negative: RunCondition | undefined
}

/** What every family of pipelines is made of. */
export interface Components {
  readonly unet: UNet2DConditionModel
  readonly vae: AutoencoderKL
  readonly scheduler: Scheduler
}

/** What a family of models adds to the run that all pipelines share. */
export interface Family<O extends GenerateOptions> {
  /** How its users call it. */
  readonly name: string
  readonly components: Components
  /** Words that its text encoders have learned. */
  readonly words: LearnedWords
  /** Models whose memory the pipeline owns, by their names in a checkpoint. */
  readonly models: Readonly<Record<string, Module>>
  /** Those of them that adapter files may change, by their names on the hub. */
  readonly targets: AdapterTargets
  readonly ranges: Ranges<O>
  /** Guidance by default. */
  readonly guidanceScale: number
  /** Share of the steps that an image goes through by default. */
  readonly strength: number
  /** How latents look. */
  readonly colours: LatentColours
  /** What the UNet is told about a request; nothing is computed yet. */
  conditions(options: O, request: Request, guided: boolean): Conditions
  /** The same family of other models, with the same words. */
  of(models: Readonly<Record<string, Module>>): Family<O>
}

/** The tensors of conditions, each once. */
export function tensorsOf({ positive, negative }: Conditions): Tensor[] {
  return [...new Set([positive, negative ?? {}].flatMap((condition) => Object.values(condition) as Tensor[]))]
}
