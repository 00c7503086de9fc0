import { CheckpointError } from '@antipode/core'
import type { Component } from '../checkpoints/index.ts'
import { type CLIPTokenizerFiles, tableOf } from './files.ts'

/**
 * A tokenizer's files as a component of a checkpoint, which `saveCheckpoint` writes.
 * @throws {CheckpointError} if `tokenizer_config.json` holds no object
 * @example
 * const tokenizer = tokenizerComponent(trainClipTokenizer(captions, { vocabularySize: 2048 }))
 * await saveCheckpoint('own', { className: 'StableDiffusionPipeline', components: { unet, vae, tokenizer, … } })
 */
export function tokenizerComponent(files: CLIPTokenizerFiles): Component {
  const { tokenizer, config = {}, vocab, merges, specialTokens } = files
  const json = (value: unknown): string | undefined => (value === undefined ? undefined : `${JSON.stringify(value)}\n`)
  const texts = new Map(Object.entries({
    'tokenizer.json': json(tokenizer), 'tokenizer_config.json': json(config), 'vocab.json': json(vocab),
    'merges.txt': merges, 'special_tokens_map.json': json(specialTokens),
  }))
  return {
    className: 'CLIPTokenizer',
    config: tableOf('tokenizerComponent', 'tokenizer_config.json', config),
    weights: () => Promise.reject(new CheckpointError(
      'tokenizerComponent: expected a component with weights, got a tokenizer, which has none; read its texts',
    )),
    text: (file) => Promise.resolve(texts.get(file)),
  }
}
