import { CheckpointError, ConfigError, type DType, ShapeError, type TensorHost } from '@antipode/core'
import { readRanges, readSafetensors, type ReadSafetensorsOptions, type SafetensorsSource, writeSafetensors } from '@antipode/core/io'
import { Initialiser } from '@antipode/core/nn'
import { checkOptions, oneOf } from '@antipode/core/options'
import { resolveUNet2DConfig, type UNet2DConfig, UNet2DConditionModel } from '../unet/index.ts'
import { checkFileOptions, entriesOf, type FileMetadata, type SaveOptions } from './entries.ts'

/** Options of {@link loadModel}, beside those of reading the file. */
export interface LoadModelOptions extends ReadSafetensorsOptions {
  /** Element type of the parameters: f32, the default, f16 or bf16, whatever the file has. */
  readonly dtype?: DType
}

const configKey = 'config'

/**
 * Writes a model's parameters and configuration as one safetensors file, complete or not at all. Adapters are not written.
 * @throws {ConfigError} if metadata has the key `config`, which is written here, or an option is unknown
 * @throws {CheckpointError} if it cannot be written @throws {UnsupportedError} where there is no Node
 */
export async function saveModel(
  path: string,
  model: UNet2DConditionModel,
  metadata: FileMetadata = {},
  options: SaveOptions = {},
): Promise<void> {
  checkFileOptions('saveModel', metadata, options, [configKey])
  const { dtype = 'f32', ...write } = options
  await writeSafetensors(path, entriesOf(model.namedParameters(), dtype), {
    ...write, metadata: { ...metadata, [configKey]: JSON.stringify(model.config) },
  })
}

/**
 * Reads a model that {@link saveModel} wrote, from a path, URL, Blob or bytes.
 * @throws {CheckpointError} if it is not such a file, is damaged (with `verify`), its configuration is not understood, or names, shapes or dtypes are not its
 * @throws {ConfigError} on an unknown option
 */
export async function loadModel(
  device: TensorHost,
  source: SafetensorsSource,
  options: LoadModelOptions = {},
): Promise<UNet2DConditionModel> {
  checkOptions('loadModel', options, { ...readRanges, dtype: oneOf('f32', 'f16', 'bf16') })
  const { dtype = 'f32', ...read } = options
  await using file = await readSafetensors(source, read)
  const config = file.metadata[configKey]
  if (config === undefined) {
    throw new CheckpointError('loadModel: expected a file with its configuration, got none in the header; make the model and call its load() instead')
  }
  const model = modelOf(parse(config), new Initialiser(device, { seed: 0, dtype, placeholders: true }), file.tensors.size)
  await model.load(file)
  return model
}

/** @param tensors how many the file has */
function modelOf(config: UNet2DConfig, init: Initialiser, tensors: number): UNet2DConditionModel {
  try {
    // A layer has many tensors. A configuration of a billion layers would fill the memory before their names could be compared.
    const { layers, transformerLayers } = resolveUNet2DConfig(config)
    const least = layers.reduce((sum, n, i) => sum + n + (transformerLayers[i] ?? 0), 0)
    if (least > tensors) throw new ConfigError(`UNet2DConditionModel: expected ${tensors} layers at most, as the file has no more tensors, got ${least}`)
    return new UNet2DConditionModel(init, config)
  } catch (cause) {
    // What is wrong is the file, not what the caller wrote.
    if (cause instanceof ConfigError || cause instanceof ShapeError) throw new CheckpointError(`loadModel: expected a configuration of this model in the header; ${cause.message}`, { cause })
    throw cause
  }
}

function parse(json: string): UNet2DConfig {
  try {
    return JSON.parse(json) as UNet2DConfig // the model checks each field
  } catch (cause) {
    throw new CheckpointError('loadModel: expected a configuration in JSON in the header, got something else; the file is damaged', { cause })
  }
}
