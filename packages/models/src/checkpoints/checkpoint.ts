import type { StateSource } from '@antipode/core/nn'

/** A parsed configuration: an object of JSON. */
export type Config = Readonly<Record<string, unknown>>

/** One part of a checkpoint: a model, a scheduler, a tokenizer. */
export interface Component {
  /**
   * Its class in diffusers or transformers: `UNet2DConditionModel`, `CLIPTextModel`, `PNDMScheduler`, `CLIPTokenizer`.
   */
  readonly className: string
  /**
   * Its configuration as it is stored, or as diffusers has it for a checkpoint that stores none.
   * @throws {CheckpointError} if the checkpoint lacks it
   */
  readonly config: Config
  /**
   * Its tensors under the names of diffusers and transformers, none of them read yet.
   * @throws {CheckpointError} if there are none, a file is missing, or is not what it should be
   */
  weights(): Promise<StateSource>
  /** A text file of it: `vocab.json`, `merges.txt`, `tokenizer.json`; undefined if there is none. */
  text(file: string): Promise<string | undefined>
}

/** What a checkpoint holds. Weights stay in its files, which are open until it is disposed. */
export interface OpenCheckpoint extends AsyncDisposable {
  /** The pipeline that it is of, such as `StableDiffusionPipeline`, or the class of the one model in it. */
  readonly className: string
  /** Fields of the pipeline itself, such as `force_zeros_for_empty_prompt`. */
  readonly config: Config
  /** By name: `unet`, `vae`, `text_encoder`, `tokenizer`, `scheduler`. */
  readonly components: ReadonlyMap<string, Component>
  /** The component of a name. @throws {CheckpointError} that says what there is, if there is none */
  component(name: string): Component
}

/** How far the weights of a component are. */
export interface LoadProgress {
  readonly component: string
  /** Numbers that have been brought to the device. */
  readonly read: number
  /** Numbers that its weights have. */
  readonly total: number
}
