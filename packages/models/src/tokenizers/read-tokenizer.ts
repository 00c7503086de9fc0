import { CheckpointError } from '@antipode/core'
import { BertTokenizer } from './bert-tokenizer.ts'
import { CLIPTokenizer } from './clip-tokenizer.ts'
import type { CLIPTokenizerFiles } from './files.ts'

/** Where a tokenizer's files are: a component of a checkpoint, or a folder. */
export interface TokenizerPlace {
  /** A file as UTF-8 text; undefined if there is none of that name. */
  text(file: string): Promise<string | undefined>
}

/**
 * CLIP's tokenizer from the files of a place.
 * @param config `tokenizer_config.json`, where the place does not hold it
 * @throws {CheckpointError} if its files are missing, or are no tokenizer's
 */
export async function readClipTokenizer(place: TokenizerPlace, config?: unknown): Promise<CLIPTokenizer> {
  return CLIPTokenizer.from(await readClipTokenizerFiles(place, config))
}

/** The files themselves, as {@link readClipTokenizer} takes them. @throws {CheckpointError} if one is no JSON */
export async function readClipTokenizerFiles(place: TokenizerPlace, config?: unknown): Promise<CLIPTokenizerFiles> {
  return {
    tokenizer: await json(place, 'tokenizer.json'),
    config: config ?? await json(place, 'tokenizer_config.json'),
    vocab: await json(place, 'vocab.json'),
    merges: await place.text('merges.txt'),
    specialTokens: await json(place, 'special_tokens_map.json'),
  }
}

/** BERT's tokenizer from the files of a place. @throws {CheckpointError} if they are missing, or are no tokenizer's */
export async function readBertTokenizer(place: TokenizerPlace): Promise<BertTokenizer> {
  return BertTokenizer.from({
    tokenizer: await json(place, 'tokenizer.json'),
    config: await json(place, 'tokenizer_config.json'),
    vocab: await place.text('vocab.txt'),
  })
}

async function json(place: TokenizerPlace, file: string): Promise<unknown> {
  const text = await place.text(file)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    const got = JSON.stringify(text.slice(0, 40))
    throw new CheckpointError(`readTokenizer: expected ${file} to be JSON, got ${got}; download it again`, { cause })
  }
}
