import type { Backend, Tensor } from '@antipode/core'
import type { FolderSource } from '@antipode/core/io'
import type { Reward } from '@antipode/npo'

/** Rewards that {@link loadReward} knows. */
export const rewardNames = ['pick-score', 'hps', 'image-reward', 'aesthetic', 'clip-score', 'compressibility'] as const
export type RewardName = (typeof rewardNames)[number]

/** Where the files of a reward are, as they are published. */
export interface RewardFiles {
  /**
   * The folder of its weights: a path (Node), an address, `hf:owner/name`, or files by their paths. All but
   * `compressibility` need it.
   */
  readonly files?: FolderSource
  /** The file of weights in that folder, if it is not called as it is published. */
  readonly weights?: string
  /** The folder of its tokenizer, if that is another: of any CLIP, or of bert-base-uncased for `image-reward`. */
  readonly tokenizer?: FolderSource
  /** Of `aesthetic`: the folder of CLIP ViT-L/14, if that is another. */
  readonly clip?: FolderSource
}

/** Options of {@link loadReward}. */
export interface LoadRewardOptions extends RewardFiles {
  /** What the networks keep their weights and compute in; f16 where the device has it, or else f32, by default. */
  readonly dtype?: 'f32' | 'f16' | 'bf16'
  /** Aborts the loading, which then rejects with `signal.reason`. */
  readonly signal?: AbortSignal
}

/**
 * Prompts as rewards read them: ids of tokens, i32 `[B, N]`, by the name of the reward; nothing for those that read no
 * prompt. Those of several rewards go into one object, beside whatever else a condition holds.
 */
export type RewardPrompts = Readonly<Record<string, Tensor>>

/** A reward with its weights on a device. */
export interface LoadedReward extends Disposable {
  readonly name: RewardName
  /**
   * Scores `[B]` of pictures `[B, 3, H, W]` in [0, 1], more is better; with gradients to the pixels. Conditions hold
   * what {@link LoadedReward.prompts} gave of the prompts of the pictures.
   * @throws {ShapeError} unless there is a prompt for each picture
   */
  readonly reward: Reward<RewardPrompts>
  /** Prompts as this reward reads them, one for each picture. */
  prompts(texts: readonly string[]): RewardPrompts
}

/** Where a reward is loaded, and how. */
export interface Loading extends LoadRewardOptions {
  readonly name: RewardName
  readonly device: Backend
}
