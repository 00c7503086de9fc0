import { CheckpointError, type Device } from '@antipode/core'
import { readSafetensors, type SafetensorsFile } from '@antipode/core/io'
import { loadAdapter, type UNet2DConditionModel } from '@antipode/models'
import { digitsConfig, type DigitsModelName, digitsUNet } from '@antipode/digits'
import type { OffsetName } from './arms.ts'

/** The model of the page and what is known about it. */
export interface PlaygroundModel {
  readonly unet: UNet2DConditionModel
  readonly name: DigitsModelName
  readonly side: number
  readonly offsets: ReadonlySet<OffsetName>
}

/** A checkpoint and what to call it: its file name tells η from δ. */
export interface CheckpointFile {
  readonly name: string
  readonly blob: () => Promise<Blob>
}

const shipped: Readonly<Record<string, string>> = import.meta.glob('../../../packages/digits/assets/digits-16*.safetensors', {
  query: '?url', import: 'default', eager: true,
})

/** Checkpoints that came with the page. */
export const shippedFiles: readonly CheckpointFile[] = Object.entries(shipped).map(([path, url]) => ({
  name: path.split('/').at(-1) ?? path,
  blob: async () => {
    const response = await fetch(url)
    if (!response.ok) throw new CheckpointError(`playground: expected a checkpoint at ${url}, got HTTP ${response.status}; build the page again`)
    return response.blob()
  },
}))

/**
 * Loads a base, if there is one among the files (else `earlier` goes on), and puts the adapters on it.
 * @throws {CheckpointError} if there is no base at all, or a file fits nothing
 */
export async function loadModel(device: Device, files: readonly CheckpointFile[], earlier?: PlaygroundModel): Promise<PlaygroundModel> {
  let model = earlier
  const adapters: [OffsetName, Blob][] = []
  for (const { name, blob } of files) {
    const bytes = await blob()
    const file = await readSafetensors(bytes)
    if ([...file.tensors.keys()].some((key) => key.endsWith('.lora_A.weight'))) adapters.push([offsetName(name), bytes])
    else model = await loadBase(device, file)
  }
  if (!model) throw new CheckpointError('playground: expected a base checkpoint, got none; make one with `npm run antipode -- train base`, and open it here')
  const offsets = new Set(model.offsets)
  for (const [name, bytes] of adapters) {
    await loadAdapter(model.unet, bytes, { name })
    offsets.add(name)
  }
  return { ...model, offsets }
}

async function loadBase(device: Device, file: SafetensorsFile): Promise<PlaygroundModel> {
  const name: DigitsModelName = file.metadata['model'] === 'digits-28' ? 'digits-28' : 'digits-16'
  const unet = digitsUNet(device, name, { seed: 0 })
  await unet.load(file)
  return { unet, name, side: digitsConfig(name).sample_size, offsets: new Set() }
}

function offsetName(fileName: string): OffsetName {
  if (/eta|dpo|η/i.test(fileName) && !/delta/i.test(fileName)) return 'eta'
  if (/delta|npo|δ/i.test(fileName)) return 'delta'
  throw new CheckpointError(`playground: expected "eta" or "delta" in the name of an adapter file, got ${fileName}; rename it`)
}
