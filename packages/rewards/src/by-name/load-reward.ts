import type { Backend } from '@antipode/core'
import { abortSignal, checkArgument, checkOptions, oneOf, type Range, text } from '@antipode/core/options'
import { loadAesthetic } from './aesthetic.ts'
import { loadClipScore, loadHps, loadPickScore } from './clip-rewards.ts'
import { compressibility } from './compressibility.ts'
import { loadImageRewardFiles } from './image-reward.ts'
import {
  type LoadedReward, type Loading, type LoadRewardOptions, type RewardName, rewardNames,
} from './loaded-reward.ts'

const loaders: Readonly<Record<RewardName, (loading: Loading) => Promise<LoadedReward>>> = {
  'pick-score': loadPickScore, hps: loadHps, 'image-reward': loadImageRewardFiles, aesthetic: loadAesthetic,
  'clip-score': loadClipScore, compressibility,
}

const aFolder: Range = {
  expected: 'a folder, or files by their paths',
  accepts: (v) => typeof v === 'string' && v !== '' || typeof v === 'object' && v !== null,
}

/**
 * A reward by its name, from the files in which it is published:
 *
 * | name | folder | weights | also |
 * | --- | --- | --- | --- |
 * | `pick-score` | yuvalkirstain/PickScore_v1 | `config.json` and `model.safetensors` of a CLIP | a CLIP's tokenizer |
 * | `clip-score` | any CLIP of transformers | the same | a CLIP's tokenizer |
 * | `hps` | xswu/HPSv2 | `HPS_v2.1_compressed.pt`, or `HPS_v2_compressed.pt` | a CLIP's tokenizer |
 * | `image-reward` | THUDM/ImageReward | `ImageReward.pt` | the tokenizer of bert-base-uncased |
 * | `aesthetic` | improved-aesthetic-predictor | `sac+logos+ava1-l14-linearMSE.pth` | CLIP ViT-L/14 of transformers |
 * | `compressibility` | none | | |
 *
 * What comes from another repository is looked for in the same folder, unless `tokenizer` or `clip` says where it is.
 * Weights are read one tensor at a time; where anything fails, nothing stays on the device. Dispose of it to free them.
 * @throws {CheckpointError} if a file is missing, or is of something else
 * @throws {ConfigError} if an option is unknown or outside its range, or there is no such reward
 * @example
 * using liked = await loadReward(device, 'pick-score', { files: 'hf:yuvalkirstain/PickScore_v1' })
 * const scores = await liked.reward(images, liked.prompts(['a cat', 'a dog'])).data()
 */
export async function loadReward(
  device: Backend, name: RewardName, options: LoadRewardOptions = {},
): Promise<LoadedReward> {
  checkArgument('loadReward', 'the name', name, oneOf(...rewardNames))
  checkOptions('loadReward', options, {
    files: aFolder, weights: text, tokenizer: aFolder, clip: aFolder, dtype: oneOf('f32', 'f16', 'bf16'),
    signal: abortSignal,
  })
  options.signal?.throwIfAborted()
  return await loaders[name]({ ...options, name, device })
}
