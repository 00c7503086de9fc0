import { type Backend, CheckpointError } from '@antipode/core'
import { readTensors, type SafetensorsSource } from '@antipode/core/io'
import { type Initialiser, placeholders, stateOf } from '@antipode/core/nn'
import { abortSignal, anObject, checkOptions, oneOf, required } from '@antipode/core/options'
import { clipConfigs, type Family, familyNames, identify, type OpenCheckpoint, unetConfigs } from '../../checkpoints/index.ts'
import { CLIPTextModel, CLIPTextModelWithProjection } from '../../clip/index.ts'
import { clipTextModel, clipTextModelWithProjection, unet2DCondition } from '../../registry/index.ts'
import { UNet2DConditionModel } from '../../unet/index.ts'
import type { FileDType } from '../entries.ts'
import type { AdapterTargets } from './components.ts'
import { loadAdapter } from './load-adapter.ts'
import { saveAdapter } from './save-adapter.ts'
import type { AdapterFormat } from './written-names.ts'

/** Options of {@link convertAdapter}. */
export interface ConvertAdapterOptions {
  /** Whose reader the new file is for. */
  readonly format: AdapterFormat
  /** Element type to write; that of most tensors by default. */
  readonly dtype?: FileDType
  /** The checkpoint that the adapter is for; of the published families it is told by the file. */
  readonly checkpoint?: OpenCheckpoint
  readonly signal?: AbortSignal
}

/**
 * Writes an adapter in another format: diffusers', PEFT's or kohya-ss's. Layers are known by the configurations of the
 * models that it is for, of which no weights are read.
 * @param device where its tensors are meanwhile
 * @throws {CheckpointError} if it is no adapter, does not fit, or the file does not tell the family and no checkpoint is
 * given; and as `loadAdapter` and `saveAdapter`
 */
export async function convertAdapter(
  device: Backend,
  source: SafetensorsSource,
  path: string,
  options: ConvertAdapterOptions,
): Promise<void> {
  checkOptions('convertAdapter', options, {
    format: required(oneOf('diffusers', 'peft', 'kohya')), dtype: oneOf('f32', 'f16', 'bf16'),
    checkpoint: anObject('an open checkpoint'), signal: abortSignal,
  })
  const { format, checkpoint, signal } = options
  const read = signal ? { signal } : {}
  const told = await toldBy(source, read)
  const targets = checkpoint ? modelsOf(placeholders(device), checkpoint) : familyModels(placeholders(device), told)
  // Half the numbers of a file are no better in twice the bytes: f32 holds both while they pass.
  await loadAdapter(targets, source, { ...read, name: 'converted' })
  const write = { name: 'converted', format, dtype: options.dtype ?? told.dtype, ...read }
  try {
    await saveAdapter(path, targets, write)
  } finally {
    for (const model of Object.values(targets)) model?.dispose()
  }
}

interface Told {
  readonly family: Family | undefined
  readonly dtype: FileDType
  readonly what: string
}

async function toldBy(source: SafetensorsSource, read: { readonly signal?: AbortSignal }): Promise<Told> {
  await using file = await readTensors(source, read)
  const counts = { f32: 0, f16: 0, bf16: 0 }
  for (const [name, { dtype }] of file.tensors) {
    const own = dtype.toLowerCase()
    // Alphas are kept in other types than the rest.
    if (own in counts && !name.endsWith('.alpha')) counts[own as FileDType]++ // one of its keys
  }
  const [dtype = 'f32'] = (Object.keys(counts) as FileDType[]).toSorted((a, b) => counts[b] - counts[a]) // its keys
  const { family, what } = identify(stateOf(file))
  return { family, dtype, what }
}

/** Models of a checkpoint without weights. */
function modelsOf(init: Initialiser, { components }: OpenCheckpoint): AdapterTargets {
  const build = { unet: unet2DCondition, text_encoder: clipTextModel, text_encoder_2: clipTextModelWithProjection }
  return Object.fromEntries(Object.entries(build).flatMap(([name, entry]) => {
    const part = components.get(name)
    return part ? [[name, entry.build(init, part.config, Infinity)]] : []
  }))
}

/** The models of a published family without weights. */
function familyModels(init: Initialiser, { family, what }: Told): AdapterTargets {
  if (family === undefined) {
    throw new CheckpointError(
      `convertAdapter: expected an adapter for ${Object.values(familyNames).join(', ')}, told by its names and shapes, ` +
        `got ${what}; pass the checkpoint that it is for`,
    )
  }
  const { clipL, clipH, bigG } = clipConfigs
  const two = { text_encoder_2: new CLIPTextModelWithProjection(init, bigG) }
  const texts = {
    sd1: { text_encoder: new CLIPTextModel(init, clipL) }, sd2: { text_encoder: new CLIPTextModel(init, clipH) },
    sdxl: { text_encoder: new CLIPTextModel(init, clipL), ...two }, 'sdxl-refiner': two,
  }
  return { unet: new UNet2DConditionModel(init, unetConfigs[family]), ...texts[family] }
}
