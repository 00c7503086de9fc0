import { type Backend, CheckpointError } from '@antipode/core'
import { placeholders, randomParameters } from '@antipode/core/nn'
import {
  clipTextModel, type CLIPTextConfig, CLIPTextModel, CLIPTokenizer, type CLIPTokenizerFiles, folderAt,
  openCheckpoint, readClipTokenizerFiles,
} from '@antipode/models'
import { smallStableDiffusion } from '@antipode/pipelines/training'
import type { PictureSettings } from '../../train-settings/index.ts'
import { learntTokenizer } from './learnt-tokenizer.ts'

/** What reads prompts. */
export interface TextParts {
  readonly files: CLIPTokenizerFiles
  readonly tokenizer: CLIPTokenizer
  readonly textEncoder: CLIPTextModel
}

/** The tokenizer and the text encoder that a run begins with: those of a CLIP, or such as know nothing yet. */
export async function textParts(
  device: Backend, settings: PictureSettings, captions: readonly string[],
): Promise<TextParts> {
  return settings.clip === undefined ? freshParts(device, settings, captions) : await clipParts(device, settings.clip)
}

function freshParts(device: Backend, settings: PictureSettings, captions: readonly string[]): TextParts {
  const { side, seed, config: own } = settings
  const { files, configs } = learntTokenizer(settings, captions, (vocabulary) => {
    const config: CLIPTextConfig = { ...smallStableDiffusion(side, vocabulary).text_encoder, ...own['text_encoder'] }
    return { config, maxLength: config.max_position_embeddings }
  })
  return { files, tokenizer: CLIPTokenizer.from(files), textEncoder: new CLIPTextModel(randomParameters(device, { seed }), configs) }
}

/** @throws {CheckpointError} if it is no CLIP */
async function clipParts(device: Backend, path: string): Promise<TextParts> {
  await using checkpoint = await openCheckpoint(path)
  if (checkpoint.className !== 'CLIPModel') {
    throw new CheckpointError(
      `train base: expected a CLIPModel, as \`train clip\` writes it, got ${checkpoint.className} at ${path}`,
    )
  }
  const { config, weights } = checkpoint.component('model')
  const { text_config: text, projection_dim = 512 } = config
  const textConfig = { ...(text ?? {}) as object, projection_dim } as CLIPTextConfig // the model checks each field
  const textEncoder = new CLIPTextModel(placeholders(device), textConfig)
  const state = await weights()
  await textEncoder.load(clipTextModel.names?.(state) ?? state)
  const files = await readClipTokenizerFiles(await folderAt(path))
  return { files, tokenizer: CLIPTokenizer.from(files), textEncoder }
}
