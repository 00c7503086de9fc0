import type { Tensor } from '@antipode/core'
import type { Reward } from '@antipode/npo'
import { clipReward } from '../clip-score.ts'
import { clipTowers, type ClipTowers, type ClipTowersConfig, clipViTH14, loadClipTowers } from '../clip-towers.ts'
import { hpsReward } from '../hps.ts'
import { pickScoreReward } from '../pick-score.ts'
import { withClip } from './clip-folder.ts'
import { clipTokenizerOf, filesOf, filled, parametersOf, weightsOf } from './files.ts'
import type { LoadedReward, Loading } from './loaded-reward.ts'
import { ofPrompts } from './prompts.ts'

/** PickScore, in the temperature that its file has. */
export async function loadPickScore(loading: Loading): Promise<LoadedReward> {
  return await wholeClip(loading, (towers, logitScale) => pickScoreReward(towers, { logitScale }))
}

/** The score of any CLIP. */
export async function loadClipScore(loading: Loading): Promise<LoadedReward> {
  return await wholeClip(loading, clipReward)
}

async function wholeClip(
  loading: Loading, rewardOf: (towers: ClipTowers, logitScale: number) => Reward<Tensor>,
): Promise<LoadedReward> {
  return await withClip(loading, filesOf(loading), async ({ config, state }) => {
    using scale = await state.read('logit_scale', loading.device, 'f32')
    const logitScale = await scale.item()
    return await ofTowers(loading, config, (towers) => loadClipTowers(towers, state), (towers) => rewardOf(towers, logitScale))
  })
}

/** HPS, from a file of OpenCLIP's. @param config that of ViT-H/14 by default */
export async function loadHps(loading: Loading, config: ClipTowersConfig = clipViTH14): Promise<LoadedReward> {
  await using file = await weightsOf(loading, ['HPS_v2.1_compressed.pt', 'HPS_v2_compressed.pt'])
  return await ofTowers(loading, config, (towers) => loadClipTowers(towers, file), hpsReward)
}

async function ofTowers(
  loading: Loading, config: ClipTowersConfig, fill: (towers: ClipTowers) => Promise<void>,
  rewardOf: (towers: ClipTowers) => Reward<Tensor>,
): Promise<LoadedReward> {
  const tokenizer = await clipTokenizerOf(loading)
  const made = clipTowers(parametersOf(loading), config)
  const weights = { ...made, [Symbol.dispose]: () => { made.text.dispose(); made.vision.dispose() } }
  const towers = await filled(loading, weights, fill)
  return ofPrompts(loading, rewardOf(towers), (text) => tokenizer.padded(text).ids, towers)
}
