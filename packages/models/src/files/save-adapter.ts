import { CheckpointError, type Tensor, tensor } from '@antipode/core'
import { readSafetensors, type SafetensorsSource, writeSafetensors } from '@antipode/core/io'
import type { Adaptable, Module } from '@antipode/core/nn'
import { entriesOf, type FileMetadata, type SaveOptions } from './save-model.ts'

const alphaKey = 'lora_alpha'

/**
 * Writes an adapter with PEFT's names, `<layer>.lora_A.weight` and `<layer>.lora_B.weight`, and its alpha in the header.
 * @throws {ConfigError} if the model has no such adapter @throws {CheckpointError} if it cannot be written
 */
export async function saveAdapter(
  path: string,
  model: Module,
  name: string,
  metadata: FileMetadata = {},
  { dtype = 'f32', signal }: SaveOptions = {},
): Promise<void> {
  const tensors = model.adapterParameters(name)
  const alpha = alphaOf(model, name)
  await writeSafetensors(path, entriesOf(tensors, dtype), {
    metadata: { ...metadata, ...(alpha === undefined ? {} : { [alphaKey]: `${alpha}` }) },
    ...(signal ? { signal } : {}),
  })
}

/**
 * Puts the adapter of a file on a model under a name, in f32. Names may begin with `unet.` or `base_model.model.`, as other
 * programs write them. @throws {CheckpointError} if it is no such file or does not fit the model
 */
export async function loadAdapter(model: Module, name: string, source: SafetensorsSource, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
  await using file = await readSafetensors(source, signal ? { signal } : {})
  const { device } = model
  const tensors = new Map<string, Tensor>()
  for (const [key, { shape }] of file.tensors) {
    tensors.set(key.replace(/^(base_model\.model\.)?(unet\.)?/, ''), tensor(device, await file.readFloat32(key), shape))
  }
  const stored = file.metadata[alphaKey]
  const alpha = stored === undefined ? undefined : Number(stored)
  try {
    if (alpha !== undefined && !Number.isFinite(alpha)) throw new CheckpointError(`loadAdapter: expected a number as ${alphaKey}, got ${stored}`)
    model.setAdapter(name, tensors, alpha === undefined ? {} : { alpha })
  } catch (error) {
    for (const t of tensors.values()) t.dispose()
    throw error
  }
}

/** The alpha that all layers share, or undefined where strength is 1 at every rank. */
function alphaOf(model: Module, name: string): number | undefined {
  const alphas = new Set<number>()
  for (const [, layer] of model.namedModules()) {
    const pair = (layer as Partial<Adaptable>).adapters?.get(name)
    if (pair) alphas.add(pair.scale * (pair.a.shape[0] ?? 1))
  }
  return alphas.size === 1 ? [...alphas][0] : undefined
}
