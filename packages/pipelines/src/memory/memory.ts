import type { Module } from '@antipode/core/nn'
import type { Tiling } from '@antipode/models'

/** What lets a pipeline run where not all of its models fit on the GPU at once. */
export interface PipelineMemory {
  /** What weights are kept in, such as `f16` or `q8_0`. */
  readonly dtype: string
  /** Bytes of the GPU that weights, and what is computed beside them, may take at once. */
  readonly budget: number
  /** Brings the weights of a model to the device, which it has freed or has not had yet. */
  readonly bring: (model: Module) => Promise<void>
  /** Called once the pipeline is disposed, and brings no weights any more. */
  readonly close: () => void
}

/** The parts of a run: images are encoded where it starts from one. */
export type Phase = 'prompts' | 'start' | 'step' | 'decode'

/** Bytes of the GPU at once, in a part of a run. */
export interface PhaseMemory {
  /** Of the models that are there, and of all adapters and learned words. */
  readonly weights: number
  /** Of what is computed, and of what the run holds. */
  readonly beside: number
}

/** How a run is kept within a budget. Without one, models stay, and tiles are for what the device could not bind. */
export interface MemoryChoices {
  /** What the UNet's weights are kept in. */
  readonly dtype: string
  /**
   * Whether both branches of guidance are one pass of twice the batch, or one pass after the other; of branches that
   * differ in adapters, always the latter.
   */
  readonly branches: 'together' | 'apart'
  /** Models that are on the GPU in their part of a run alone, by their names in a checkpoint. */
  readonly leaving: readonly string[]
  /** How images are decoded; false for whole. */
  readonly tiling: boolean | Tiling
}

/** Bytes of the GPU that a run takes, known before anything runs. */
export interface MemoryPlan {
  /** Of all models' weights. */
  readonly weights: number
  /** While prompts are encoded. */
  readonly prompts: PhaseMemory
  /** While an image that the run starts from is encoded. */
  readonly start?: PhaseMemory
  /** While a step is made. */
  readonly step: PhaseMemory
  /** While an image is decoded. */
  readonly decode: PhaseMemory
  /** Of the part that takes most. */
  readonly peak: number
  readonly choices: MemoryChoices
}

/** Whether a part of a run needs a model, by its name in a checkpoint. */
export function needs(phase: Phase, name: string): boolean {
  if (phase === 'prompts') return name.startsWith('text_encoder')
  return name === (phase === 'step' ? 'unet' : 'vae')
}
