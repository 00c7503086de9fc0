import { compressibilityReward } from '../compressibility.ts'
import type { LoadedReward, Loading } from './loaded-reward.ts'
import { ofPictures } from './prompts.ts'

/** What has no files. */
export async function compressibility(loading: Loading): Promise<LoadedReward> {
  return ofPictures(loading, compressibilityReward())
}
