import { ConfigError, type Tensor } from '@antipode/core'
import { checkArgument, whole } from '@antipode/core/options'
import type { CLIPTokenizer } from '@antipode/models'
import type { ClipTowers } from '@antipode/rewards'
import type { SquarePictures } from '../squares/index.ts'

/** A CLIP that reads prompts: its towers, which `clipTowers` of @antipode/rewards makes, and its tokenizer. */
export interface ClipModels extends ClipTowers {
  readonly tokenizer: CLIPTokenizer
}

/** A CLIP in training, with its temperature. */
export interface TrainedClip extends ClipModels {
  /**
   * The logarithm of the temperature's inverse, one number in f32: `tensor(device, [Math.log(1 / 0.07)], [])` is what
   * CLIP began with.
   */
  readonly logitScale: Tensor
}

/**
 * @throws {ConfigError} if there are no pictures, pixels or captions are missing, or the text tower does not take what
 * the tokenizer gives
 */
export function checkClip(where: string, { text, tokenizer }: ClipModels, { pictures, side, captions }: SquarePictures): void {
  checkArgument(where, 'side', side, whole(1))
  const refuse = (expected: string, got: string): never => {
    throw new ConfigError(`${where}: expected ${expected}, got ${got}`)
  }
  const count = captions.length
  if (count === 0) refuse('pictures with captions', 'none')
  const bytes = count * 3 * side * side
  if (pictures.length !== bytes) {
    refuse(`${bytes} bytes, [${count}, 3, ${side}, ${side}], a picture for each list of captions`, `${pictures.length}`)
  }
  const bare = captions.findIndex((own) => own.length === 0)
  if (bare !== -1) refuse('a caption of each picture', `none of picture ${bare}; leave it out`)
  const { positions, vocabulary, endToken } = text.resolved
  if (positions < tokenizer.maxLength) {
    refuse(`max_position_embeddings of ${tokenizer.maxLength} or more, as prompts are long`, `${positions}`)
  }
  // A tower of old files, whose end is 2, finds it as the largest id.
  if (endToken !== 2 && endToken !== tokenizer.eos) {
    refuse(`eos_token_id ${tokenizer.eos}, the tokenizer's, by which prompts are pooled`, `${endToken}`)
  }
  if (tokenizer.eos >= vocabulary) refuse(`vocab_size above ${tokenizer.eos}, the tokenizer's end`, `${vocabulary}`)
}
