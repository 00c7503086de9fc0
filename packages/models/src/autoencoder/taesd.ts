import { CheckpointError } from '@antipode/core'
import { type Checkpoint, stateOf, type StateSource } from '@antipode/core/nn'
import { rename } from '../keymaps/index.ts'
import type { AutoencoderTinyConfig } from './tiny-config.ts'

/** The two files of a tiny autoencoder as its author publishes it; previews need no encoder. */
export interface TaesdFiles {
  readonly encoder?: Checkpoint
  readonly decoder?: Checkpoint
}

/**
 * A tiny autoencoder in the names of its author, who counts layers from `0.weight` in each file: TAESD, TAESDXL, TAESD3,
 * TAEF1 and TAEF2. Where one file is missing, load with `strict: false`.
 * Source: https://github.com/madebyollin/taesd `taesd.py`.
 * @throws {CheckpointError} if there is no file, or one is another's
 * @example
 * const { config, state } = taesd({ encoder: await readSafetensors(a), decoder: await readSafetensors(b) })
 * const model = new AutoencoderTiny(placeholders(device), config)
 * await model.load(state)
 */
export function taesd(files: TaesdFiles): { readonly config: AutoencoderTinyConfig; readonly state: StateSource } {
  const halves = ends.flatMap((end) => {
    const file = files[end.half]
    return file ? [renamed(end, stateOf(file))] : []
  })
  const [first] = halves
  if (!first) throw new CheckpointError('taesd: expected an encoder or a decoder, got neither')
  const midblockNorm = halves.some(({ state }) => [...state.names()].some((name) => name.includes('.pool.')))
  return {
    config: { latent_channels: first.latentChannels, use_midblock_gn: midblockNorm },
    state: joined(halves.map(({ state }) => state)),
  }
}

/** The convolution of each half that the latents are beside, the axis that they are, and how far names are shifted. */
const ends = [
  { half: 'encoder', name: '14.weight', axis: 0, shift: 0 },
  // The first layer of a decoder in its author's count holds latents within bounds, and has no parameters.
  { half: 'decoder', name: '1.weight', axis: 1, shift: 1 },
] as const

function renamed({ half, name, axis, shift }: typeof ends[number], file: StateSource): Half {
  const latentChannels = file.info(name)?.shape[axis]
  if (latentChannels === undefined) {
    throw new CheckpointError(
      `taesd: expected ${half === 'encoder' ? 'an encoder' : 'a decoder'} with a convolution ${name}, got none of ` +
        'that name; pass files that begin at 0.weight and 1.weight',
    )
  }
  const to = (old: string): string => `${half}.layers.${old.replace(/^\d+/, (n) => `${Number(n) - shift}`)}`
  return { latentChannels, state: rename(file, to) }
}

interface Half {
  readonly latentChannels: number
  readonly state: StateSource
}

/** Sources of different names as one. */
function joined(sources: readonly StateSource[]): StateSource {
  const holder = (name: string): StateSource | undefined => sources.find((source) => source.info(name))
  return {
    names: () => sources.flatMap((source) => [...source.names()]),
    info: (name) => holder(name)?.info(name),
    async read(name, device, dtype) {
      const source = holder(name)
      if (source) return await source.read(name, device, dtype)
      throw new CheckpointError(`taesd: expected a tensor of the two files, got ${name}`)
    },
  }
}
