import { type Backend, ShapeError, type Tensor, tensor } from '@antipode/core'
import type { Reward } from '@antipode/npo'
import type { LoadedReward, Loading, RewardPrompts } from './loaded-reward.ts'

/** A reward of ids as one of prompts by name, with what frees its weights. @param rows ids of a prompt, all as many */
export function ofPrompts(
  { name, device }: Loading, reward: Reward<Tensor>, rows: (text: string) => readonly number[], weights: Disposable,
): LoadedReward {
  return {
    name,
    reward(images, condition) {
      const ids = condition[name]
      if (ids) return reward(images, ids)
      const got = Object.keys(condition).join(', ') || 'none'
      throw new ShapeError(`${name}: expected the ids of prompts by its name, got ${got}; pass what prompts() gives`)
    },
    prompts: (texts) => ({ [name]: idsOf(device, texts.map(rows)) }),
    [Symbol.dispose]: () => { weights[Symbol.dispose]() },
  }
}

/** A reward of pictures alone. */
export function ofPictures({ name }: Loading, reward: Reward<undefined>, weights?: Disposable): LoadedReward {
  return {
    name,
    reward: (images) => reward(images, undefined),
    prompts: (): RewardPrompts => ({}),
    [Symbol.dispose]: () => { weights?.[Symbol.dispose]() },
  }
}

function idsOf(device: Backend, rows: readonly (readonly number[])[]): Tensor {
  return tensor(device, rows.flat(), [rows.length, rows[0]?.length ?? 0], { dtype: 'i32' })
}
