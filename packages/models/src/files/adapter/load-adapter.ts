import { CheckpointError } from '@antipode/core'
import { readRanges, readSafetensors, type ReadSafetensorsOptions, type SafetensorsSource } from '@antipode/core/io'
import { AdaptableLayer, checkAdapter, type Module, readAll, setAdapter } from '@antipode/core/nn'
import { anObject, checkOptions } from '@antipode/core/options'
import { rename } from '../../keymaps/index.ts'
import { tensorsByLayer } from './tensors-by-layer.ts'
import { statedAlphas } from './stated-alphas.ts'

/** Options of {@link loadAdapter}, beside those of reading the file. */
export interface LoadAdapterOptions extends ReadSafetensorsOptions {
  /** The parsed `adapter_config.json` of PEFT, where the file does not lie beside the adapter. */
  readonly config?: object
}

/**
 * Puts the adapter of a file on a model under a name, in f32, each layer at its own strength. Names may be PEFT's,
 * diffusers' or kohya-ss's, also behind `unet.` or `base_model.model.`. Alpha is read in all the forms in which they
 * store it: in the header (`lora_adapter_metadata`, `lora_alpha`, `ss_network_alpha`), as tensors (`<layer>.alpha`),
 * and from `adapter_config.json` beside the file; without any of these it is the rank. Where anything is wrong, the
 * model stays as it was.
 *
 * @throws {CheckpointError} if it is no such file, does not fit the model, or says something of its strength that is
 * not understood: DoRA, trained biases, other methods than LoRA, ranks that contradict the tensors
 * @throws {ConfigError} on an unknown option
 */
export async function loadAdapter(
  model: Module,
  name: string,
  source: SafetensorsSource,
  options: LoadAdapterOptions = {},
): Promise<void> {
  checkOptions('loadAdapter', options, { ...readRanges, config: anObject('the parsed adapter_config.json') })
  const { config, ...read } = options
  await using file = await readSafetensors(source, read)
  const own = [...model.namedModules()].flatMap(([layer, module]) => (module instanceof AdaptableLayer ? [layer] : []))
  const { layers, strangers } = tensorsByLayer(file.tensors.keys(), own)
  const names = new Map(strangers.map((stranger) => [stranger, stranger]))
  for (const [layer, { a, b, alpha, diff }] of layers) {
    if (a !== undefined) names.set(a, `${layer}.lora_A.weight`)
    if (b !== undefined) names.set(b, `${layer}.lora_B.weight`)
    if (diff !== undefined) names.set(diff, `${layer}.diff`)
    if (alpha !== undefined && a === undefined && b === undefined) names.set(alpha, alpha)
  }
  const state = rename(file, (stored) => names.get(stored))
  const header = new Map(Array.from(state.names(), (as) => [as, state.info(as) ?? { shape: [] }]))
  checkAdapter(model, name, header)
  const odd = [...names].flatMap(([stored, as]) => {
    const info = state.info(as)
    return !info || info.reads.includes('f32') ? [] : [`${stored} (${info.dtype})`]
  })
  if (odd.length > 0) {
    throw new CheckpointError(
      `loadAdapter: expected F32, F16 or BF16, got ${odd.slice(0, 8).join(', ')}; convert the file`,
    )
  }
  const pairs = [...layers].filter(([, { a }]) => a !== undefined)
  const ranks = new Map(pairs.map(([layer]) => [layer, header.get(`${layer}.lora_A.weight`)?.shape[0] ?? 1]))
  const alpha = await statedAlphas({ file, layers, source, config, signal: read.signal }, ranks)
  const tensors = await readAll(state, new Map([...header.keys()].map((as) => [as, 'f32'])), model.device)
  try {
    setAdapter(model, name, tensors, { alpha })
  } catch (error) {
    for (const t of tensors.values()) t.dispose()
    throw error
  }
}
