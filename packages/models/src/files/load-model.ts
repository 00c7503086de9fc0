import { CheckpointError, ConfigError, ShapeError, type Backend } from '@antipode/core'
import { readRanges, readSafetensors, type ReadSafetensorsOptions, type SafetensorsSource } from '@antipode/core/io'
import { type Initialiser, parameterRanges, type ParameterTypes, placeholders, stateOf } from '@antipode/core/nn'
import { anObject, checkOptions, listOf } from '@antipode/core/options'
import { identify } from '../checkpoints/index.ts'
import { type ConfiguredModel, entryNamed, type ModelEntry, unet2DCondition } from '../registry/index.ts'
import type { UNet2DConditionModel } from '../unet/index.ts'
import { configKey } from './save-model.ts'

/** Options of {@link loadModel}: of reading the file, and of what the parameters are kept in, whatever it has. */
export interface LoadModelOptions extends ReadSafetensorsOptions, ParameterTypes {}

/** {@link LoadModelOptions} for a file that may be of other classes. */
export interface LoadModelOfOptions<E extends ModelEntry = ModelEntry> extends LoadModelOptions {
  /** The classes that it may be of; `[unet2DCondition]` by default. */
  readonly models: readonly E[]
}

/**
 * Reads a model that `saveModel` wrote, from a path, URL, Blob or bytes: of the class in `models` that its
 * configuration names, or of `UNet2DConditionModel` if it names none.
 * @throws {CheckpointError} if it is not such a file, is damaged (with `verify`), its configuration is of another class
 * or not understood, or names, shapes or dtypes are not its
 * @throws {ConfigError} on an unknown option
 */
export function loadModel(
  device: Backend,
  source: SafetensorsSource,
  options?: LoadModelOptions,
): Promise<UNet2DConditionModel>
export function loadModel<E extends ModelEntry>(
  device: Backend,
  source: SafetensorsSource,
  options: LoadModelOfOptions<E>,
): Promise<ReturnType<E['build']>>
export async function loadModel(
  device: Backend,
  source: SafetensorsSource,
  options: LoadModelOptions & Partial<LoadModelOfOptions> = {},
): Promise<ConfiguredModel> {
  checkOptions('loadModel', options, {
    ...readRanges, ...parameterRanges, models: listOf(anObject('an entry of a model')),
  })
  const { dtype = 'f32', weights, models = [unet2DCondition], ...read } = options
  await using file = await readSafetensors(source, read)
  const stored = file.metadata[configKey]
  if (stored === undefined) {
    throw new CheckpointError(
      `loadModel: expected a file with its configuration in the header, got ${identify(stateOf(file)).what} without; ` +
        'open it with openCheckpoint, or make the model and call its load()',
    )
  }
  const config = parse(stored)
  const entry = entryNamed(models, config['_class_name'] ?? unet2DCondition.className)
  const model = build(entry, placeholders(device, { dtype, ...weights && { weights } }), config, file.tensors.size)
  const state = stateOf(file)
  await model.load(entry.names?.(state) ?? state)
  return model
}

function build({ build: make }: ModelEntry, init: Initialiser, config: object, tensors: number): ConfiguredModel {
  try {
    return make(init, config, tensors)
  } catch (cause) {
    // What is wrong is the file, not what the caller wrote.
    if (!(cause instanceof ConfigError || cause instanceof ShapeError)) throw cause
    throw new CheckpointError(
      `loadModel: expected a configuration of this model in the header; ${cause.message}`,
      { cause },
    )
  }
}

function parse(json: string): Readonly<Record<string, unknown>> {
  try {
    const config: unknown = JSON.parse(json)
    if (typeof config === 'object' && config !== null) return config as Readonly<Record<string, unknown>> // an object
  } catch (cause) {
    throw new CheckpointError(
      'loadModel: expected a configuration in JSON in the header, got something else; the file is damaged',
      { cause },
    )
  }
  throw new CheckpointError(
    `loadModel: expected a configuration in the header, got ${json.slice(0, 40)}; the file is damaged`,
  )
}
