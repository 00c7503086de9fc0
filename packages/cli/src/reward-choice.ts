import { isAbsolute, join } from 'node:path'
import { checkOptions, oneOf, type Range, type Ranges, required, text } from '@antipode/core/options'
import type { LoadRewardOptions, RewardName } from '@antipode/rewards'

/** Rewards of @antipode/rewards, which is not loaded to read settings, and whether they have files. */
const rewards = {
  'pick-score': true, hps: true, 'image-reward': true, aesthetic: true, 'clip-score': true, compressibility: false,
} as const satisfies Readonly<Record<RewardName, boolean>>

/** Their names, which the compiler counts. */
export const rewardChoices: readonly RewardName[] = Object.keys(rewards) as RewardName[]

/** A reward as settings name it: what `loadReward` of @antipode/rewards takes, in JSON. */
export interface RewardChoice extends Pick<LoadRewardOptions, 'weights' | 'dtype'> {
  readonly reward: RewardName
  /** Folders: paths, addresses or `hf:owner/name`. */
  readonly files?: string
  readonly tokenizer?: string
  readonly clip?: string
}

/** Whether a setting is meant to be a reward. */
export const aReward: Range = {
  expected: '{ reward: name, files: folder }',
  accepts: (v) => typeof v === 'object' && v !== null && 'reward' in v,
}

/** @throws {ConfigError} that names what is unknown, missing or of another reward */
export function checkReward(where: string, choice: RewardChoice): void {
  const name = oneOf(...rewardChoices)
  checkOptions<object>(where, { reward: choice.reward }, { reward: required(name) } as Ranges<object>)
  const of = (known: boolean, range: Range): Range => (
    known ? range : { expected: `left out with the reward ${choice.reward}`, accepts: (v) => v === undefined }
  )
  const hasFiles = rewards[choice.reward]
  const hasPrompts = hasFiles && choice.reward !== 'aesthetic'
  checkOptions<RewardChoice>(where, choice, {
    reward: name, files: of(hasFiles, required(text)), weights: of(hasFiles, text),
    tokenizer: of(hasPrompts, text), clip: of(choice.reward === 'aesthetic', text),
    dtype: of(hasFiles, oneOf('f32', 'f16', 'bf16')),
  })
}

/** A reward whose folders lead from here, of one whose folders lead from a folder. */
export function rewardFrom(folder: string, choice: RewardChoice): RewardChoice {
  const places = (['files', 'tokenizer', 'clip'] as const).flatMap((part) => {
    const place = choice[part]
    return place === undefined ? [] : [[part, pathFrom(folder, place)] as const]
  })
  return { ...choice, ...Object.fromEntries(places) }
}

/** A path that leads from a folder, unless it leads from anywhere or is an address. */
export function pathFrom(folder: string, place: string): string {
  return isAbsolute(place) || /^\w{2,}:/.test(place) ? place : join(folder, place)
}
