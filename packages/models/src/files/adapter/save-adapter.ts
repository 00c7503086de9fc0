import type { Module } from '@antipode/core/nn'
import { writeSafetensors } from '@antipode/core/io'
import { checkFileOptions, entriesOf, type FileMetadata, type SaveOptions } from '../entries.ts'
import { loraConfig } from './lora-config.ts'
import { configKey } from './stated-alphas.ts'

/**
 * Writes an adapter with PEFT's names, `<layer>.lora_A.weight` and `<layer>.lora_B.weight`, and its ranks and alphas in the
 * header, as diffusers does: `load_lora_adapter(path, prefix=None)` of its models reads it at the same strength.
 * @throws {ConfigError} if the model has no such adapter, metadata has a key that is written here, or an option is unknown
 * @throws {CheckpointError} if it cannot be written
 */
export async function saveAdapter(path: string, model: Module, name: string, metadata: FileMetadata = {}, options: SaveOptions = {}): Promise<void> {
  checkFileOptions('saveAdapter', metadata, options, [configKey, 'lora_alpha'])
  const { dtype = 'f32', ...write } = options
  const tensors = model.adapterParameters(name)
  const layers = new Map([...model.adapterAlphas(name)].map(([layer, alpha]) => [layer, { alpha, rank: tensors.get(`${layer}.lora_A.weight`)?.shape[0] ?? 1 }]))
  await writeSafetensors(path, entriesOf(tensors, dtype), { ...write, metadata: { ...metadata, [configKey]: JSON.stringify(loraConfig(layers)) } })
}
