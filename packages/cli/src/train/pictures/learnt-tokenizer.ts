import { trainClipTokenizer, type TrainedClipTokenizer } from '@antipode/models'
import type { PictureSettings } from '../../train-settings/index.ts'

/** Configurations for a vocabulary, and the most tokens of a prompt that they read. */
interface Configured<C> {
  readonly config: C
  readonly maxLength: number | undefined
}

/**
 * A tokenizer of captions, and configurations for the vocabulary that it has: no more than was asked for.
 * @param configured configurations for so many tokens
 */
export function learntTokenizer<C>(
  { vocabulary }: PictureSettings, captions: readonly string[], configured: (vocabulary: number) => Configured<C>,
): { readonly files: TrainedClipTokenizer; readonly configs: C } {
  const { maxLength } = configured(vocabulary)
  const files = trainClipTokenizer(captions, {
    vocabularySize: vocabulary, ...(maxLength === undefined ? {} : { maxLength }),
  })
  return { files, configs: configured(Object.keys(files.vocab).length).config }
}
