import { writeSafetensors } from '@antipode/core/io'
import type { ConfiguredModel } from '../registry/index.ts'
import { checkFileOptions, entriesOf, type FileMetadata, type SaveOptions } from './entries.ts'

/** Where the configuration stands in the header. */
export const configKey = 'config'

/**
 * Writes a model's parameters and configuration as one safetensors file, complete or not at all. Adapters are not
 * written.
 * @throws {ConfigError} if metadata has the key `config`, which is written here, or an option is unknown
 * @throws {CheckpointError} if it cannot be written @throws {UnsupportedError} where there is no Node
 */
export async function saveModel(
  path: string,
  model: ConfiguredModel,
  metadata: FileMetadata = {},
  options: SaveOptions = {},
): Promise<void> {
  checkFileOptions('saveModel', metadata, options, [configKey])
  const { dtype = 'f32', ...write } = options
  const config = JSON.stringify({ _class_name: model.className, ...model.config })
  const entries = entriesOf(model.namedParameters(), dtype)
  await writeSafetensors(path, entries, { ...write, metadata: { ...metadata, [configKey]: config } })
}
