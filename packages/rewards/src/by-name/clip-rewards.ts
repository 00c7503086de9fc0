import type { Tensor } from '@antipode/core'
import type { Checkpoint, StateSource } from '@antipode/core/nn'
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
  return await wholeClip(loading, async (towers, state) => {
    if (!state.info('logit_scale')) return pickScoreReward(towers)
    using scale = await state.read('logit_scale', loading.device, 'f32')
    return pickScoreReward(towers, { logitScale: await scale.item() })
  })
}

/** The score of any CLIP. */
export async function loadClipScore(loading: Loading): Promise<LoadedReward> {
  return await wholeClip(loading, async (towers) => clipReward(towers))
}

async function wholeClip(
  loading: Loading, rewardOf: (towers: ClipTowers, state: StateSource) => Promise<Reward<Tensor>>,
): Promise<LoadedReward> {
  return await withClip(loading, filesOf(loading), async ({ text, vision, state }) => {
    const init = parametersOf(loading)
    const own = { text: text(init), vision: vision(init) }
    return await ofTowers(loading, own, state, (towers) => rewardOf(towers, state))
  })
}

/** HPS, from a file of OpenCLIP's. @param config that of ViT-H/14 by default */
export async function loadHps(loading: Loading, config: ClipTowersConfig = clipViTH14): Promise<LoadedReward> {
  await using file = await weightsOf(loading, ['HPS_v2.1_compressed.pt', 'HPS_v2_compressed.pt'])
  return await ofTowers(loading, clipTowers(parametersOf(loading), config), file, async (towers) => hpsReward(towers))
}

async function ofTowers(
  loading: Loading, towers: ClipTowers, checkpoint: Checkpoint,
  rewardOf: (towers: ClipTowers) => Promise<Reward<Tensor>>,
): Promise<LoadedReward> {
  const tokenizer = await clipTokenizerOf(loading)
  const weights = { [Symbol.dispose]: () => { towers.text.dispose(); towers.vision.dispose() } }
  const reward = await filled(loading, weights, async () => {
    await loadClipTowers(towers, checkpoint)
    return await rewardOf(towers)
  })
  return ofPrompts(loading, reward, (text) => tokenizer.padded(text).ids, weights)
}
