import { type ImageRewardConfig, imageReward, ImageRewardModel, loadImageReward } from '../image-reward/index.ts'
import { bertTokenizerOf, filled, parametersOf, weightsOf } from './files.ts'
import type { LoadedReward, Loading } from './loaded-reward.ts'
import { ofPrompts } from './prompts.ts'

/** Tokens of a prompt, as ImageReward was trained. Source: THUDM/ImageReward, `ImageReward.py`. */
const tokens = 35

/** ImageReward, with BERT's tokenizer. @param config that of ImageReward v1.0 by default */
export async function loadImageRewardFiles(loading: Loading, config: ImageRewardConfig = {}): Promise<LoadedReward> {
  await using file = await weightsOf(loading, ['ImageReward.pt'])
  const tokenizer = await bertTokenizerOf(loading)
  const model = new ImageRewardModel(parametersOf(loading), config)
  await filled(loading, model, () => loadImageReward(model, file))
  return ofPrompts(loading, imageReward(model), (text) => tokenizer.padded(text, tokens).ids, model)
}
