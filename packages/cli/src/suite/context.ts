import type { Device } from '@antipode/core'
import type { LabelledImages } from '@antipode/digits'
import type { UNet2DConditionModel } from '@antipode/models'
import type { Judges, Stages } from '../demo/index.ts'
import type { SuiteRecipe } from './recipe.ts'

/** What all parts of a run of the map share. */
export interface SuiteContext {
  readonly device: Device
  readonly unet: UNet2DConditionModel
  readonly recipe: SuiteRecipe
  readonly side: number
  readonly judges: Judges
  /** Digits that the labelling reward compares with. */
  readonly labeller: LabelledImages
  /** Keeps pairs, trained weights, and what only they decide. */
  readonly stages: Stages
  /** Keeps scores, which depend on the evaluation too. */
  readonly scores: Stages
  readonly signal: AbortSignal
  /** Does a part of the work as a phase of progress. */
  readonly timed: <T>(title: string, total: number, work: (advance: (n?: number, note?: string) => void) => Promise<T>) => Promise<T>
}
