import { CheckpointError } from '@antipode/core'
import { type Folder, type FolderSource, readTensors, type TensorFile } from '@antipode/core/io'
import { type Initialiser, placeholders } from '@antipode/core/nn'
import {
  type BertTokenizer, type CLIPTokenizer, folderAt, readBertTokenizer, readClipTokenizer,
} from '@antipode/models'
import type { Loading } from './loaded-reward.ts'

/** The folder of a reward's files. @throws {CheckpointError} if none is given */
export function filesOf({ name, files }: Loading): FolderSource {
  if (files !== undefined) return files
  throw new CheckpointError(`loadReward: expected files of ${name}, got none; pass the folder that they are in`)
}

/** Opens the weights of a reward by the first name that its folder has. @throws {CheckpointError} if it has none */
export async function weightsOf(loading: Loading, published: readonly string[]): Promise<TensorFile> {
  const folder = await folderAt(filesOf(loading), reading(loading))
  const names = loading.weights === undefined ? published : [loading.weights]
  for (const one of names) {
    const found = await folder.file(one)
    if (found !== undefined) return await readTensors(found, reading(loading))
  }
  const there = await folder.names()
  const got = there.length === 0 ? 'none' : there.slice(0, 8).join(', ')
  throw new CheckpointError(
    `loadReward: expected ${names.join(' or ')} in ${folder.label}, got ${got}; download it, or name it by weights`,
  )
}

/** Parameters to be loaded, as the caller wants them. */
export function parametersOf({ device, dtype = device.target.f16 ? 'f16' : 'f32' }: Loading): Initialiser {
  return placeholders(device, { dtype })
}

/** What loading makes of a model, which is freed where that fails. @throws {CheckpointError} that names the reward */
export async function filled<T>(loading: Loading, model: Disposable, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    model[Symbol.dispose]()
    if (!(error instanceof CheckpointError)) throw error
    throw new CheckpointError(`loadReward: expected the weights of ${loading.name}; ${error.message}`, { cause: error })
  }
}

/** A CLIP's tokenizer, from its own folder or beside the weights. @throws {CheckpointError} if there is none */
export async function clipTokenizerOf(loading: Loading): Promise<CLIPTokenizer> {
  return await tokenizerIn(loading, 'a CLIP', readClipTokenizer)
}

/** BERT's tokenizer, the same way. */
export async function bertTokenizerOf(loading: Loading): Promise<BertTokenizer> {
  return await tokenizerIn(loading, 'bert-base-uncased', readBertTokenizer)
}

async function tokenizerIn<T>(loading: Loading, whose: string, read: (folder: Folder) => Promise<T>): Promise<T> {
  const folder = await folderAt(loading.tokenizer ?? filesOf(loading), reading(loading))
  try {
    return await read(folder)
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error
    throw new CheckpointError(
      `loadReward: expected the tokenizer of ${whose} in ${folder.label} for ${loading.name}; ${error.message}, ` +
        'or say where it is by tokenizer', { cause: error },
    )
  }
}

/** How files are read. */
export function reading({ signal }: Loading): { readonly signal?: AbortSignal } {
  return signal ? { signal } : {}
}
