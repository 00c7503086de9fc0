import { CheckpointError, type DType, type Tensor } from '@antipode/core'
import {
  readRanges, type ReadSafetensorsOptions, readTensors, type SafetensorsSource, type TensorFile,
} from '@antipode/core/io'
import { checkAdapter, type Module, readAll, setAdapter, stateOf, type StateSource } from '@antipode/core/nn'
import { anObject, checkOptions, listOf, oneOf, required, text } from '@antipode/core/options'
import { adapterState } from './adapter-state.ts'
import { type AdapterComponent, type AdapterTargets, components, targetsOf } from './components.ts'
import { refuseOtherFiles } from './other-files.ts'
import { refuseOtherMethods } from './other-methods.ts'
import { layersOf, placesOf } from './places.ts'
import { statedAlphas } from './stated-alphas.ts'
import { type LayerNames, tensorsByLayer } from './tensors-by-layer.ts'

/** Adapters are thousands of small tensors, for each of which a request would be made. */
const patch = 2 ** 23

/** Options of {@link loadAdapter}, beside those of reading the file. */
export interface LoadAdapterOptions extends ReadSafetensorsOptions {
  /** What the adapter is called on the models; one of that name is replaced. */
  readonly name: string
  /** Models whose parts of the file are left out: none by default, so that nothing is lost unnoticed. */
  readonly skip?: readonly AdapterComponent[]
  /** Element type of its tensors: f32, the default, f16 or bf16, whatever the file has. */
  readonly dtype?: DType
  /** The parsed `adapter_config.json` of PEFT, where the file does not lie beside the adapter. */
  readonly config?: object
}

/**
 * Puts the adapter of a file on a model or on the models of a pipeline, each layer at its own strength. The file is of
 * safetensors or torch (`.pt`, `.bin`), and of any of these formats, which it tells by its names:
 *
 * - PEFT and diffusers since: `unet.….lora_A.weight`, with or without `unet.` and `base_model.model.`
 * - diffusers before: `unet.….attn1.processor.to_q_lora.down.weight`, and `….self_attn.to_q_lora.down.weight` of text
 *   encoders
 * - kohya-ss and LyCORIS' LoCon: `lora_unet_….lora_down.weight`, also with LDM's names for the blocks of Stable
 *   Diffusion XL, and `lora_te_`, `lora_te1_`, `lora_te2_` for text encoders
 * - differences in full, `….diff`
 *
 * Alpha is read in all the forms in which they store it: in the header (`lora_adapter_metadata`, `lora_alpha`,
 * `ss_network_alpha`), as tensors (`<layer>.alpha`), and from `adapter_config.json` beside the file; without any of
 * these it is the rank. Where anything is wrong, the models stay as they were.
 *
 * @param target a model, or the models of a pipeline by their names on the hub
 * @throws {CheckpointError} if it is no such file, does not fit, has a part for a model that is not among the targets,
 * or says something that is not understood: other methods than LoRA, trained biases, ranks that contradict the tensors
 * @throws {ConfigError} on an option that is unknown or out of its range
 * @example
 * await loadAdapter({ unet, text_encoder: textEncoder }, 'dpo.safetensors', { name: 'dpo' })
 */
export async function loadAdapter(
  target: Module | AdapterTargets,
  source: SafetensorsSource,
  options: LoadAdapterOptions,
): Promise<void> {
  checkOptions('loadAdapter', options, {
    ...readRanges, name: required(text), skip: listOf(oneOf(...components)), dtype: oneOf('f32', 'f16', 'bf16'),
    config: anObject('the parsed adapter_config.json'),
  })
  const { name, skip = [], dtype = 'f32', config, ...given } = options
  const read = { readAhead: patch, ...given }
  const targets = targetsOf('loadAdapter', target)
  await using file = await readTensors(source, read)
  const parts = partsOf(file, targets, { name, skip, dtype })
  const alphas: Map<string, number>[] = []
  for (const part of parts) {
    alphas.push(await statedAlphas({ ...part, file, source, config, read }))
  }
  const tensors: Map<string, Tensor>[] = []
  try {
    for (const { state, model } of parts) {
      const wanted = new Map(Array.from(state.names(), (one) => [one, dtype]))
      tensors.push(await readAll(state, wanted, model.device))
    }
  } catch (error) {
    for (const part of tensors) for (const t of part.values()) t.dispose()
    throw error
  }
  for (const [k, { model }] of parts.entries()) {
    setAdapter(model, name, tensors[k] as Map<string, Tensor>, { alpha: alphas[k] as Map<string, number> })
  }
}

/** The part of a file that is for one model. */
interface AdapterPart {
  readonly component: AdapterComponent
  readonly model: Module
  readonly layers: ReadonlyMap<string, LayerNames>
  /** Rank of each pair, by its layer. */
  readonly ranks: ReadonlyMap<string, number>
  /** Its tensors, with PEFT's names. */
  readonly state: StateSource
}

/**
 * What a file has for each model, held to the model by names and shapes.
 * @throws {CheckpointError} if it does not fit
 */
function partsOf(
  file: TensorFile,
  targets: ReadonlyMap<AdapterComponent, Module>,
  { name, skip, dtype }: Required<Pick<LoadAdapterOptions, 'name' | 'skip' | 'dtype'>>,
): AdapterPart[] {
  const { layers, strangers } = tensorsByLayer(file.tensors.keys(), placesOf(targets))
  const wanted = [...strangers].filter(([component]) => !component || !skip.includes(component))
  refuseOtherMethods(wanted.flatMap(([, names]) => names))
  refuseOtherFiles(stateOf(file), targets, [...layers.values()].reduce((n, own) => n + own.size, 0))
  const taken = [...targets].filter(([component]) => !skip.includes(component))
  const [lead] = taken.find(([component]) => (layers.get(component)?.size ?? 0) > 0) ?? taken[0] ?? []
  const parts: AdapterPart[] = []
  for (const [component, names] of wanted) {
    if (component && !targets.has(component)) refusePart(component, names)
  }
  for (const [component, model] of taken) {
    const own = new Map(wanted)
    const extra = [...own.get(component) ?? [], ...component === lead ? own.get(undefined) ?? [] : []]
    const names = layers.get(component) ?? new Map<string, LayerNames>()
    if (names.size === 0 && extra.length === 0 && component !== lead) continue
    const state = adapterState(file, { names, strangers: extra }, layersOf(model))
    const header = new Map(Array.from(state.names(), (as) => [as, state.info(as) ?? { shape: [] }]))
    checkAdapter(model, name, header)
    refuseTypes(state, dtype)
    const ranks = new Map([...names.keys()].flatMap((layer) => {
      const rank = header.get(`${layer}.lora_A.weight`)?.shape[0]
      return rank === undefined ? [] : [[layer, rank] as const]
    }))
    parts.push({ component, model, layers: names, ranks, state })
  }
  return parts
}

function refusePart(component: AdapterComponent, names: readonly string[]): never {
  throw new CheckpointError(
    `loadAdapter: expected a model for every part of the file, got none for its ${names.length} tensors of ` +
      `${component}, such as ${names[0]}; pass that model too, or leave them out by skip: ['${component}']`,
  )
}

function refuseTypes(state: StateSource, dtype: DType): void {
  const odd = Array.from(state.names()).flatMap((name) => {
    const info = state.info(name)
    return !info || info.reads.includes(dtype) ? [] : [`${name} (${info.dtype})`]
  })
  if (odd.length === 0) return
  throw new CheckpointError(
    `loadAdapter: expected F32, F16 or BF16, got ${odd.slice(0, 8).join(', ')}; convert the file`,
  )
}
