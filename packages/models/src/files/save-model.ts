import { writeSafetensors } from '@antipode/core/io'
import { checkOptions } from '@antipode/core/options'
import type { ConfiguredModel } from '../registry/index.ts'
import { checkMetadata, entriesOf, type FileMetadata, type SaveOptions, saveRanges } from './entries.ts'

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
  checkOptions('saveModel', options, saveRanges)
  checkMetadata('saveModel', metadata, [configKey])
  const { dtype = 'f32', ...write } = options
  const config = JSON.stringify({ _class_name: model.className, ...model.config })
  const entries = entriesOf(model.namedParameters(), dtype)
  await writeSafetensors(path, entries, { ...write, metadata: { ...metadata, [configKey]: config } })
}
