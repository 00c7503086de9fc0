import { CheckpointError } from '@antipode/core'
import type { ReadSafetensorsOptions, SafetensorsSource, TensorFile } from '@antipode/core/io'
import { type AdapterComponent, components } from './components.ts'
import { fileBeside } from './file-beside.ts'
import { type AlphaRule, loraAlpha } from './lora-config.ts'
import type { LayerNames } from './tensors-by-layer.ts'

/** Where diffusers keeps PEFT's configuration in the header. */
export const configKey = 'lora_adapter_metadata'

/** Where a statement stands, and what it says. */
type Statement = readonly [label: string, rule: AlphaRule]

/** What tells of strength: a file and what it has for one model, where it came from, and what the caller knows. */
export interface AlphaSources {
  readonly file: TensorFile
  readonly component: AdapterComponent
  readonly layers: ReadonlyMap<string, LayerNames>
  /** Rank of each layer that has a pair. */
  readonly ranks: ReadonlyMap<string, number>
  readonly source: SafetensorsSource
  readonly config?: unknown
  /** How the source is read. */
  readonly read: Pick<ReadSafetensorsOptions, 'signal' | 'fetch'>
}

/**
 * The alpha of each layer, from every form in which it is stored: the caller's configuration, PEFT's in the header,
 * numbers beside the pairs, `lora_alpha` in the header; where there is none of these, PEFT's `adapter_config.json`
 * beside the file, or kohya-ss's `ss_network_alpha`. Without any, alpha is the rank, as files of diffusers mean it.
 *
 * @throws {CheckpointError} if a statement is not understood, or two contradict each other
 */
export async function statedAlphas(sources: AlphaSources): Promise<Map<string, number>> {
  const { layers, ranks } = sources
  const statements = await statementsOf(sources)
  return new Map([...ranks].map(([layer, rank]) => {
    const called = layers.get(layer)?.called ?? layer
    const [first, ...others] = statements.map(([label, rule]) => ({ label, alpha: rule({ layer, called, rank }) }))
    const other = others.find(({ alpha }) => alpha !== first?.alpha)
    if (first && other) {
      throw unknown(
        `expected one alpha for ${layer}, got ${first.alpha} from ${first.label} and ${other.alpha} from ` +
          other.label,
      )
    }
    return [layer, first?.alpha ?? rank]
  }))
}

async function statementsOf(sources: AlphaSources): Promise<Statement[]> {
  const { file, component, layers, source, config, read } = sources
  const { [configKey]: adapter, lora_alpha: alpha, ss_network_alpha: network, ss_network_dim: dim } = file.metadata
  const own: Statement[] = []
  const state = (label: string, stated: unknown): void => {
    const fields = fieldsOf(component, stated)
    if (fields !== undefined) own.push([label, loraAlpha(label, fields)])
  }
  if (config !== undefined) state('config', config)
  if (adapter !== undefined) state(configKey, parse(configKey, adapter))
  const numbers = await numbersBeside(file, layers)
  if (numbers) own.push(['the .alpha tensors', numbers])
  if (alpha !== undefined) {
    const value = number('lora_alpha', alpha)
    own.push(['lora_alpha', () => value])
  }
  if (own.length > 0) return own
  const beside = await fileBeside(source, 'adapter_config.json', read)
  if (beside !== undefined) state('adapter_config.json', parse('adapter_config.json', beside))
  if (beside !== undefined || network === undefined) return own
  const value = number('ss_network_alpha', network)
  const rank = dim === undefined ? undefined : number('ss_network_dim', dim)
  return [['ss_network_alpha', ({ layer, rank: got }) => {
    // Layers of another rank have an alpha of their own, which only a tensor could tell.
    if (rank !== undefined && rank !== got) {
      throw unknown(`expected ${layer} to have the rank ${rank} of ss_network_dim, got ${got}`)
    }
    return value
  }]]
}

function unknown(what: string): CheckpointError {
  return new CheckpointError(`loadAdapter: ${what}; the adapter's strength cannot be known`)
}

/** Alphas that are tensors, `<layer>.alpha`, of one element; undefined if there are none. */
async function numbersBeside(
  file: TensorFile,
  layers: ReadonlyMap<string, LayerNames>,
): Promise<AlphaRule | undefined> {
  const alphas = new Map<string, number>()
  for (const [layer, { alpha }] of layers) {
    if (alpha === undefined) continue
    const { shape, dtype } = file.tensors.get(alpha) ?? { shape: [0], dtype: '' }
    const single = shape.every((n) => n === 1) && !dtype.startsWith('F8')
    const value = single ? (await file.readFloat32(alpha))[0] : undefined
    // kohya-ss takes 0 for the rank, diffusers for 0.
    if (!value || !Number.isFinite(value)) {
      throw unknown(`expected ${alpha} to be one finite number other than 0, got ${value ?? `${dtype} [${shape}]`}`)
    }
    alphas.set(layer, value)
  }
  if (alphas.size === 0) return undefined
  return ({ layer }) => alphas.get(layer) ?? missing(layer)
}

function missing(layer: string): never {
  // Readers differ: kohya-ss takes the rank, diffusers the commonest alpha of the file.
  throw unknown(`expected an .alpha tensor for every layer or for none, got none for ${layer}`)
}

/** A number as programs write it into a header. */
function number(key: string, text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(value)) throw unknown(`expected a number as ${key}, got ${JSON.stringify(text.slice(0, 40))}`)
  return value
}

function parse(label: string, json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw new CheckpointError(
      `loadAdapter: ${label}: expected JSON, got something else; export the adapter again`,
      { cause },
    )
  }
}

/**
 * The fields of one component, where those of several stand side by side behind their names, `unet.r`; undefined where
 * there are none of this one.
 */
function fieldsOf(component: AdapterComponent, config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return config
  const entries = Object.entries(config)
  if (!entries.some(([key]) => components.some((one) => key.startsWith(`${one}.`)))) return config
  const own = entries.filter(([key]) => key.startsWith(`${component}.`))
  return own.length > 0 ? Object.fromEntries(own.map(([key, v]) => [key.slice(component.length + 1), v])) : undefined
}
