export type { ImageRewardConfig } from './config.ts'
export { imageReward, ImageRewardModel, loadImageReward } from './image-reward.ts'
