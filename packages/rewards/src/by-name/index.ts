export {
  type LoadedReward, type LoadRewardOptions, type RewardFiles, type RewardName, rewardNames, type RewardPrompts,
} from './loaded-reward.ts'
export { loadReward } from './load-reward.ts'
