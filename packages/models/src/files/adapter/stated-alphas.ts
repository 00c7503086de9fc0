import { CheckpointError } from '@antipode/core'
import type { SafetensorsFile, SafetensorsSource } from '@antipode/core/io'
import type { LayerNames } from './tensors-by-layer.ts'
import { fileBeside } from './file-beside.ts'
import { type AlphaRule, loraAlpha } from './lora-config.ts'

/** Where diffusers keeps PEFT's configuration in the header. */
export const configKey = 'lora_adapter_metadata'

/** Where a statement stands, and what it says. */
type Statement = readonly [label: string, rule: AlphaRule]

/** What tells of strength: an open file, the names of its tensors, where it came from, and what the caller knows. */
export interface AlphaSources {
  readonly file: SafetensorsFile
  readonly layers: ReadonlyMap<string, LayerNames>
  readonly source: SafetensorsSource
  readonly config?: unknown
  readonly signal?: AbortSignal | undefined
}

/**
 * The alpha of each layer, from every form in which it is stored: the caller's configuration, PEFT's in the header, numbers
 * beside the pairs, `lora_alpha` in the header; where there is none of these, PEFT's `adapter_config.json` beside the file, or
 * kohya-ss's `ss_network_alpha`. Without any, alpha is the rank, as files of diffusers mean it.
 *
 * @param ranks rank of each layer
 * @throws {CheckpointError} if a statement is not understood, or two contradict each other
 */
export async function statedAlphas(sources: AlphaSources, ranks: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const statements = await statementsOf(sources)
  return new Map([...ranks].map(([layer, rank]) => {
    const [first, ...others] = statements.map(([label, rule]) => ({ label, alpha: rule(layer, rank) }))
    const other = others.find(({ alpha }) => alpha !== first?.alpha)
    if (first && other) {
      throw new CheckpointError(`loadAdapter: expected one alpha for ${layer}, got ${first.alpha} from ${first.label} and ${other.alpha} from ${other.label}; the adapter's strength cannot be known`)
    }
    return [layer, first?.alpha ?? rank]
  }))
}

async function statementsOf({ file, layers, source, config, signal }: AlphaSources): Promise<Statement[]> {
  const { [configKey]: adapter, lora_alpha: alpha, ss_network_alpha: network, ss_network_dim: dimension } = file.metadata
  const own: Statement[] = []
  if (config !== undefined) own.push(['config', loraAlpha('config', config)])
  if (adapter !== undefined) own.push([configKey, loraAlpha(configKey, ofUNet(parse(configKey, adapter)))])
  const numbers = await numbersBeside(file, layers)
  if (numbers) own.push(['the .alpha tensors', numbers])
  if (alpha !== undefined) {
    const value = number('lora_alpha', alpha)
    own.push(['lora_alpha', () => value])
  }
  if (own.length > 0) return own
  const beside = await fileBeside(source, 'adapter_config.json', signal)
  if (beside !== undefined) return [['adapter_config.json', loraAlpha('adapter_config.json', parse('adapter_config.json', beside))]]
  if (network === undefined) return []
  const value = number('ss_network_alpha', network)
  const rank = dimension === undefined ? undefined : number('ss_network_dim', dimension)
  return [['ss_network_alpha', (layer, got) => {
    // Layers of another rank have an alpha of their own, which only a tensor could tell.
    if (rank !== undefined && rank !== got) throw new CheckpointError(`loadAdapter: expected ${layer} to have the rank ${rank} of ss_network_dim, got ${got}; the adapter's strength cannot be known`)
    return value
  }]]
}

/** Alphas that are tensors, `<layer>.alpha`, of one element; undefined if there are none. */
async function numbersBeside(file: SafetensorsFile, layers: ReadonlyMap<string, LayerNames>): Promise<AlphaRule | undefined> {
  const alphas = new Map<string, number>()
  for (const [layer, { alpha }] of layers) {
    if (alpha === undefined) continue
    const { shape, dtype } = file.tensors.get(alpha) ?? { shape: [0], dtype: '' }
    const value = shape.every((n) => n === 1) && !dtype.startsWith('F8') ? (await file.readFloat32(alpha))[0] : undefined
    // kohya-ss takes 0 for the rank, diffusers for 0.
    if (!value || !Number.isFinite(value)) {
      throw new CheckpointError(`loadAdapter: expected ${alpha} to be one finite number other than 0, got ${value ?? `${dtype} [${shape}]`}; the adapter's strength cannot be known`)
    }
    alphas.set(layer, value)
  }
  if (alphas.size === 0) return undefined
  return (layer) => alphas.get(layer) ?? missing(layer)
}

function missing(layer: string): never {
  // Readers differ: kohya-ss takes the rank, diffusers the commonest alpha of the file.
  throw new CheckpointError(`loadAdapter: expected an .alpha tensor for every layer or for none, got none for ${layer}; the adapter's strength cannot be known`)
}

/** A number as programs write it into a header. */
function number(key: string, text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(value)) throw new CheckpointError(`loadAdapter: expected a number as ${key}, got ${JSON.stringify(text.slice(0, 40))}; the adapter's strength cannot be known`)
  return value
}

function parse(label: string, json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new CheckpointError(`loadAdapter: ${label}: expected JSON, got something else; export the adapter again`, { cause })
  }
}

/** The fields of the UNet, where those of several components stand side by side behind their names: `unet.r`. */
function ofUNet(config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return config
  const entries = Object.entries(config).flatMap(([key, value]) => (key.startsWith('unet.') ? [[key.slice(5), value] as const] : []))
  return entries.length > 0 ? Object.fromEntries(entries) : config
}
