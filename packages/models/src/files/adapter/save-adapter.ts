import { writeSafetensors } from '@antipode/core/io'
import { adapterDeltas, adapterParameters, LowRank, type Module } from '@antipode/core/nn'
import { checkFileOptions, entriesOf, type FileMetadata, type SaveOptions } from '../entries.ts'
import { loraConfig } from './lora-config.ts'
import { configKey } from './stated-alphas.ts'

/**
 * Writes an adapter with PEFT's names, `<layer>.lora_A.weight` and `<layer>.lora_B.weight`, and its ranks and alphas in
 * the header, as diffusers does: `load_lora_adapter(path, prefix=None)` of its models reads it at the same strength.
 * Changes in full are written as `<layer>.diff`.
 * @throws {ConfigError} if the model has no such adapter, metadata has a key that is written here, or an option is
 * unknown
 * @throws {CheckpointError} if it cannot be written
 */
export async function saveAdapter(
  path: string,
  model: Module,
  name: string,
  metadata: FileMetadata = {},
  options: SaveOptions = {},
): Promise<void> {
  checkFileOptions('saveAdapter', metadata, options, [configKey, 'lora_alpha'])
  const { dtype = 'f32', ...write } = options
  const pairs = new Map([...adapterDeltas(model, name)].flatMap(([layer, delta]) => (
    delta instanceof LowRank ? [[layer, delta] as const] : []
  )))
  const config = pairs.size > 0 ? { [configKey]: JSON.stringify(loraConfig(pairs)) } : {}
  const entries = entriesOf(adapterParameters(model, name), dtype)
  await writeSafetensors(path, entries, { ...write, metadata: { ...metadata, ...config } })
}
