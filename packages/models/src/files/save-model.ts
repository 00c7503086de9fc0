import { CheckpointError, type DType, type Tensor, type TensorHost } from '@antipode/core'
import { encodeFloat32, readSafetensors, type SafetensorsSource, type StreamedSafetensorsEntry, writeSafetensors } from '@antipode/core/io'
import { Initialiser } from '@antipode/core/nn'
import { type UNet2DConfig, UNet2DConditionModel } from '../unet/index.ts'

/** Element types that files are written in. */
export type FileDType = 'f32' | 'f16'

/** Strings kept in the header of a file, such as the recipe. */
export type FileMetadata = Readonly<Record<string, string>>

/** Options of {@link saveModel} and `saveAdapter`. */
export interface SaveOptions {
  /** Element type in the file; f32 by default. */
  readonly dtype?: FileDType
  /** Aborts between tensors; the file at the path stays as it was. */
  readonly signal?: AbortSignal
}

/** Options of {@link loadModel}. */
export interface LoadModelOptions {
  /** Element type of the parameters, f32 by default, whatever the file has. */
  readonly dtype?: DType
  readonly signal?: AbortSignal
}

const configKey = 'config'

/**
 * Writes a model's parameters and configuration as one safetensors file, complete or not at all. Adapters are not written.
 * @throws {CheckpointError} if it cannot be written @throws {UnsupportedError} where there is no Node
 */
export async function saveModel(
  path: string,
  model: UNet2DConditionModel,
  metadata: FileMetadata = {},
  { dtype = 'f32', signal }: SaveOptions = {},
): Promise<void> {
  await writeSafetensors(path, entriesOf(model.namedParameters(), dtype), {
    metadata: { ...metadata, [configKey]: JSON.stringify(model.config) },
    ...(signal ? { signal } : {}),
  })
}

/**
 * Reads a model that {@link saveModel} wrote, from a path, URL, Blob or bytes.
 * @throws {CheckpointError} if it is not such a file, or names and shapes are not those of its configuration
 */
export async function loadModel(
  device: TensorHost,
  source: SafetensorsSource,
  { dtype = 'f32', signal }: LoadModelOptions = {},
): Promise<UNet2DConditionModel> {
  await using file = await readSafetensors(source, signal ? { signal } : {})
  const config = file.metadata[configKey]
  if (config === undefined) {
    throw new CheckpointError('loadModel: expected a file with its configuration, got none in the header; make the model and call its load() instead')
  }
  const model = new UNet2DConditionModel(new Initialiser(device, { seed: 0, dtype, placeholders: true }), parse(config))
  await model.load(file)
  return model
}

function parse(json: string): UNet2DConfig {
  try {
    return JSON.parse(json) as UNet2DConfig // the model checks each field
  } catch (cause) {
    throw new CheckpointError('loadModel: expected a configuration in JSON in the header, got something else; the file is damaged', { cause })
  }
}

/** Tensors as entries of a file, each read from the device when its turn comes. */
export function entriesOf(tensors: Iterable<readonly [name: string, tensor: Tensor]>, dtype: FileDType): StreamedSafetensorsEntry[] {
  const stored = dtype === 'f16' ? 'F16' : 'F32'
  return Array.from(tensors, ([name, t]) => ({
    name,
    dtype: stored,
    shape: t.shape,
    // Parameters are floats, so their elements are a Float32Array.
    data: async () => encodeFloat32(await t.data() as Float32Array<ArrayBuffer>, stored),
  }))
}
