import { CheckpointError } from '@antipode/core'
import type { Initialiser, Module, StateSource } from '@antipode/core/nn'

/** A model that is made by a configuration. */
export interface ConfiguredModel extends Module {
  /** `_class_name` of its configuration. */
  readonly className: string
  readonly config: object
}

/** How a class of models is made and loaded. */
export interface ModelEntry<M extends ConfiguredModel = ConfiguredModel> {
  /** `_class_name` of its configurations. */
  readonly className: string
  /**
   * Makes the model. @param tensors how many the file has, of which a model that fits it has no more
   * @throws {ConfigError | ShapeError} if the configuration is not understood, or of a model with more tensors
   */
  build(init: Initialiser, config: object, tensors: number): M
  /** The model's own names for those that its checkpoints may have. */
  names?(source: StateSource): StateSource
}

/** The entry of a class. @throws {CheckpointError} that lists the classes there are */
export function entryNamed(entries: readonly ModelEntry[], className: unknown): ModelEntry {
  const entry = entries.find((one) => one.className === className)
  if (entry) return entry
  const known = entries.map((one) => JSON.stringify(one.className)).join(' or ')
  throw new CheckpointError(
    `loadModel: expected _class_name to be ${known}, got ${JSON.stringify(className)}; pass its entry in models`,
  )
}
