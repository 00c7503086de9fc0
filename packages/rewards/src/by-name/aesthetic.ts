import { placeholders } from '@antipode/core/nn'
import { clipVisionModelWithProjection } from '@antipode/models'
import { AestheticHead, aestheticReward } from '../aesthetic.ts'
import { withClip } from './clip-folder.ts'
import { filesOf, filled, parametersOf, weightsOf } from './files.ts'
import type { LoadedReward, Loading } from './loaded-reward.ts'
import { ofPictures } from './prompts.ts'

/**
 * The LAION aesthetic predictor: its head, and the vision tower of a CLIP. The head, a million numbers, stays in f32.
 */
export async function loadAesthetic(loading: Loading): Promise<LoadedReward> {
  await using file = await weightsOf(loading, ['sac+logos+ava1-l14-linearMSE.pth'])
  return await withClip(loading, loading.clip ?? filesOf(loading), async (clip) => {
    const vision = clip.vision(parametersOf(loading))
    const head = AestheticHead.of(placeholders(loading.device), { width: vision.resolved.projection })
    const parts = { vision, head, [Symbol.dispose]: () => { vision.dispose(); head.dispose() } }
    await filled(loading, parts, async () => {
      await head.load(file)
      await vision.load(clipVisionModelWithProjection.names?.(clip.state) ?? clip.state)
    })
    return ofPictures(loading, aestheticReward(vision, head), parts)
  })
}
