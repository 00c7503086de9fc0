import { type Backend, CheckpointError, type DType } from '@antipode/core'
import { type Folder, folderOf, type FolderSource, readOptions, readTensors, type TensorFile } from '@antipode/core/io'
import { placeholders } from '@antipode/core/nn'
import { checkArgument, flag, oneOf } from '@antipode/core/options'
import { type AutoencoderKL, AutoencoderTiny, taesd } from '../autoencoder/index.ts'
import { type CheckpointSource, isOneFile, openCheckpoint, type OpenCheckpointOptions, readingOf } from '../checkpoints/index.ts'
import { autoencoderKL, autoencoderTiny } from '../registry/index.ts'

/** Options of {@link loadAutoencoder}, beside those of opening a checkpoint. */
export interface LoadAutoencoderOptions extends Omit<OpenCheckpointOptions, 'tokenizer'> {
  /** Element type of its weights, and what it computes in: f32, the default, f16 or bf16. */
  readonly dtype?: DType
  /** Whether it is only to decode, so that of a tiny one in two files the decoder is enough; false by default. */
  readonly decoderOnly?: boolean
}

/** A half of a tiny autoencoder by its file's name, and what such files are called before it. */
const half = /^(.*?)(encoder|decoder)(\.(?:safetensors|pth|pt))$/i

/**
 * An autoencoder: that of a pipeline, one in a folder of its own, one in a file with the names of its original code, or
 * a tiny one as its author publishes it: `taesd_encoder.safetensors` and `taesd_decoder.safetensors`, of which the
 * folder or one of both is passed (TAESD, TAESDXL, TAEF2; also `.pth`).
 * @throws {CheckpointError} if it is something else, or the half that is needed is missing
 * @throws {ConfigError} on an option that is unknown or outside its range
 * @example
 * using tiny = await loadAutoencoder(device, 'taesd/taesd_decoder.safetensors', { decoderOnly: true })
 */
export async function loadAutoencoder(
  device: Backend,
  source: CheckpointSource,
  options: LoadAutoencoderOptions = {},
): Promise<AutoencoderKL | AutoencoderTiny> {
  const { dtype = 'f32', decoderOnly = false, ...opening } = options
  checkArgument('loadAutoencoder', 'dtype', dtype, oneOf('f32', 'f16', 'bf16'))
  checkArgument('loadAutoencoder', 'decoderOnly', decoderOnly, flag)
  const init = placeholders(device, { dtype })
  const read = readingOf(opening)
  const place = await halvesAt(source, read)
  if (place) return await tiny(place, read, (config) => new AutoencoderTiny(init, config), decoderOnly)
  await using checkpoint = await openCheckpoint(source, opening)
  const entries = [autoencoderKL, autoencoderTiny]
  for (const { className, config, weights } of checkpoint.components.values()) {
    const entry = entries.find((one) => one.className === className)
    if (!entry) continue
    const state = await weights()
    const model = entry.build(init, config, [...state.names()].length)
    await model.load(entry.names?.(state) ?? state)
    return model
  }
  throw new CheckpointError(
    `loadAutoencoder: expected a pipeline or a model with an autoencoder, got ${checkpoint.className}; pass another`,
  )
}

/** Where the halves of a tiny autoencoder are: a folder, and what their names begin with and end in. */
interface Halves {
  readonly folder: Folder
  readonly stem: string
  readonly ending: string
}

type Reading = NonNullable<Parameters<typeof readTensors>[1]>

async function halvesAt(source: CheckpointSource, read: Reading): Promise<Halves | undefined> {
  const open = (place: FolderSource): Folder => folderOf(place, readOptions(read))
  if (await isOneFile(source)) {
    const [, above = '', name = ''] = /^(.*[/\\])?([^/\\]*)$/s.exec(String(source)) ?? []
    const [, stem, , ending] = half.exec(name) ?? []
    return stem === undefined || ending === undefined ? undefined : { folder: open(above || '.'), stem, ending }
  }
  const folder = open(source as FolderSource) // what is no file
  const names = await folder.names()
  if (names.includes('config.json') || names.includes('model_index.json')) return undefined
  const found = new Map(names.flatMap((name) => {
    const [, stem, , ending] = half.exec(name) ?? []
    return stem === undefined || ending === undefined ? [] : [[stem + ending, { folder, stem, ending }] as const]
  }))
  if (found.size > 1) {
    throw new CheckpointError(
      `loadAutoencoder: expected one tiny autoencoder in ${folder.label}, got ${[...found.keys()].join(', ')}; ` +
        'pass the path of one of its files',
    )
  }
  return [...found.values()][0]
}

async function tiny(
  { folder, stem, ending }: Halves,
  read: Reading,
  build: (config: AutoencoderTiny['config']) => AutoencoderTiny,
  decoderOnly: boolean,
): Promise<AutoencoderTiny> {
  const open = async (name: 'encoder' | 'decoder'): Promise<TensorFile | undefined> => {
    const file = await folder.file(`${stem}${name}${ending}`)
    if (file !== undefined) return await readTensors(file, read)
    if (name === 'encoder' && decoderOnly) return undefined
    throw new CheckpointError(
      `loadAutoencoder: expected ${stem}${name}${ending} in ${folder.label}, beside its other half, got none; download it`,
    )
  }
  await using decoder = await open('decoder')
  await using encoder = await open('encoder')
  const { config, state } = taesd({ ...(encoder ? { encoder } : {}), ...(decoder ? { decoder } : {}) })
  const model = build(config)
  await model.load(state, { strict: encoder !== undefined })
  return model
}
