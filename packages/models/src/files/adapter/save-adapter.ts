import { ConfigError, type Tensor } from '@antipode/core'
import { type StreamedSafetensorsEntry, writeAtomically, writeSafetensors } from '@antipode/core/io'
import { adapterDeltas, adapterNames, LowRank, Module, type WeightDelta } from '@antipode/core/nn'
import { anObject, checkOptions, oneOf, required, text } from '@antipode/core/options'
import { checkMetadata, entriesOf, type FileMetadata, type SaveOptions, saveRanges } from '../entries.ts'
import { type AdapterTargets, type AdapterComponent, targetsOf } from './components.ts'
import { besidePath } from './file-beside.ts'
import { commonest, loraConfig } from './lora-config.ts'
import { configKey } from './stated-alphas.ts'
import { type AdapterFormat, keyIn, layerNaming } from './written-names.ts'

/** Options of {@link saveAdapter}. */
export interface SaveAdapterOptions extends SaveOptions {
  /** The adapter's name on the models. */
  readonly name: string
  /** Whose reader it is for; 'diffusers' by default. */
  readonly format?: AdapterFormat
  /** Strings kept in the header, such as the recipe. */
  readonly metadata?: FileMetadata
}

/** Keys of the header that say how strong an adapter is. */
const reserved = [configKey, 'lora_alpha', 'ss_network_module', 'ss_network_dim', 'ss_network_alpha']

/**
 * Writes an adapter as one safetensors file, with the rank and alpha of each layer. Differences in full are written as
 * `<layer>.diff`.
 *
 * - `diffusers`: of the models of a pipeline, `unet.<layer>.lora_A.weight`, which `load_lora_weights` of its pipelines
 *   reads; of a model alone, names without the component, for `load_lora_adapter(folder, weight_name=…, prefix=None)`
 *   (by its path alone, diffusers 0.42 reads a file without its header)
 * - `peft`: `base_model.model.<layer>.lora_A.weight`, and `adapter_config.json` beside; a file that is named
 *   `adapter_model.safetensors` is read by `PeftModel.from_pretrained(model, folder)`
 * - `kohya`: `lora_unet_<layer>.lora_down.weight` with an alpha beside each, and LDM's names for the blocks of Stable
 *   Diffusion XL
 *
 * @param target a model, or the models of a pipeline, of which those that have the adapter are written
 * @throws {ConfigError} if no model has such an adapter, PEFT's format is asked for several models or for differences
 * in full, metadata has a key that is written here, or an option is unknown
 * @throws {CheckpointError} if it cannot be written
 * @example
 * await saveAdapter('dpo.safetensors', { unet }, { name: 'dpo', format: 'kohya', dtype: 'f16' })
 */
export async function saveAdapter(
  path: string,
  target: Module | AdapterTargets,
  options: SaveAdapterOptions,
): Promise<void> {
  checkOptions('saveAdapter', options, {
    ...saveRanges, name: required(text), format: oneOf('diffusers', 'peft', 'kohya'),
    metadata: anObject('an object of strings'),
  })
  const { name, format = 'diffusers', metadata = {}, dtype = 'f32', ...write } = options
  checkMetadata('saveAdapter', metadata, reserved)
  const targets = targetsOf('saveAdapter', target)
  const deltas = deltasOf(targets, name)
  const naming = layerNaming(format, targets, target instanceof Module)
  const named = [...deltas].flatMap(([component, layers]) => Array.from(layers, ([layer, delta]) => (
    { stem: naming(component, layer), delta }
  )))
  const tensors = named.flatMap(({ stem, delta }) => Array.from(delta.parameters, ([key, t]): [string, Tensor] => (
    [`${stem}.${keyIn(format, key)}`, t]
  )))
  const pairs = new Map([...deltas].map(([component, layers]) => [component, pairsOf(layers)] as const))
  if (format === 'kohya') {
    const alphas = named.flatMap(({ stem, delta }) => (delta instanceof LowRank ? [alphaEntry(stem, delta)] : []))
    const all = [...pairs.values()].flatMap((layers) => [...layers.values()])
    const entries = [...entriesOf(tensors, dtype), ...alphas]
    await writeSafetensors(path, entries, { ...write, metadata: { ...metadata, ...kohyaHeader(all) } })
  } else if (format === 'diffusers') {
    const header = diffusersHeader(pairs, target instanceof Module)
    await writeSafetensors(path, entriesOf(tensors, dtype), { ...write, metadata: { ...metadata, ...header } })
  } else {
    const config = peftConfig(deltas, pairs)
    await writeSafetensors(path, entriesOf(tensors, dtype), { ...write, metadata: { format: 'pt', ...metadata } })
    await writeText(besidePath(path, 'adapter_config.json'), `${JSON.stringify(config, undefined, 2)}\n`)
  }
}

type Deltas = ReadonlyMap<AdapterComponent, ReadonlyMap<string, WeightDelta>>
type Pairs = ReadonlyMap<AdapterComponent, ReadonlyMap<string, LowRank>>

/** The change of each layer of the models that have the adapter. @throws {ConfigError} if there are none */
function deltasOf(targets: ReadonlyMap<AdapterComponent, Module>, name: string): Deltas {
  const having = [...targets].filter(([, model]) => adapterNames(model).includes(name))
  // Asked of a model that has none, the question tells which there are.
  const asked = having.length > 0 ? having : [...targets].slice(0, 1)
  return new Map(asked.map(([component, model]) => [component, adapterDeltas(model, name)]))
}

function pairsOf(layers: ReadonlyMap<string, WeightDelta>): Map<string, LowRank> {
  return new Map([...layers].flatMap(([layer, delta]) => (delta instanceof LowRank ? [[layer, delta] as const] : [])))
}

/** Ranks and alphas as diffusers keeps them: of the models of a pipeline behind their names. */
function diffusersHeader(pairs: Pairs, alone: boolean): FileMetadata {
  const fields = [...pairs].filter(([, layers]) => layers.size > 0).flatMap(([component, layers]) => (
    Object.entries(loraConfig(layers)).map(([field, v]) => [alone ? field : `${component}.${field}`, v] as const)
  ))
  return fields.length > 0 ? { [configKey]: JSON.stringify(Object.fromEntries(fields)) } : {}
}

/** Ranks and alphas as kohya-ss's scripts keep them: one of each, and where ranks differ the tensors tell. */
function kohyaHeader(pairs: readonly LowRank[]): FileMetadata {
  if (pairs.length === 0) return {}
  const ranks = new Set(pairs.map(({ rank }) => rank))
  return {
    ss_network_module: 'networks.lora',
    ss_network_dim: ranks.size > 1 ? 'Dynamic' : `${pairs[0]?.rank}`,
    ss_network_alpha: ranks.size > 1 ? 'Dynamic' : `${commonest(pairs.map(({ alpha }) => alpha))}`,
  }
}

function alphaEntry(stem: string, { alpha }: LowRank): StreamedSafetensorsEntry {
  return { name: `${stem}.alpha`, dtype: 'F32', shape: [], data: Float32Array.of(alpha) }
}

/** PEFT's configuration of an adapter on one model. @throws {ConfigError} if it is on several, or no pair */
function peftConfig(deltas: Deltas, pairs: Pairs): Record<string, unknown> {
  const [[component, layers] = ['unet', new Map<string, WeightDelta>()] as const, ...others] = deltas
  const own = pairs.get(component) ?? new Map<string, LowRank>()
  if (others.length === 0 && own.size === layers.size) return loraConfig(own)
  const got = others.length > 0 ? `${deltas.size} of them` : `${layers.size - own.size} differences in full`
  throw new ConfigError(
    `saveAdapter: expected low-rank pairs of one model for the format 'peft', got ${got}; save each model by ` +
      "itself, or choose the format 'diffusers'",
  )
}

async function writeText(path: string, content: string): Promise<void> {
  async function* chunks(): AsyncIterable<Uint8Array> {
    yield new TextEncoder().encode(content)
  }
  await writeAtomically('saveAdapter', path, chunks())
}
