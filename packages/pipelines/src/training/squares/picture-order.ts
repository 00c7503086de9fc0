import { rng } from '@antipode/core/random'
import { BatchOrder } from '@antipode/npo'
import type { SquarePictures } from './squares.ts'

/** Members are drawn from other streams than noise and orders, which take those from 0 and from 2³¹ on. */
const firstStream = 2 ** 31 + 2 ** 30

/**
 * Which pictures each batch has: every picture once an epoch, or, where they have groups, every group once and of it a
 * picture at random. A batch depends on its number and the seed alone. @param size pictures of a batch
 */
export function pictureOrder(
  { captions, groups }: Pick<SquarePictures, 'captions' | 'groups'>, size: number, seed: number,
): (index: number) => readonly number[] {
  if (!groups) {
    const order = new BatchOrder([{ places: [...captions.keys()] }], size, seed)
    return (index) => order.batch(index)
  }
  const members = new Map<string, number[]>()
  for (const [place, group] of groups.entries()) members.set(group, [...(members.get(group) ?? []), place])
  const lists = [...members.values()]
  const order = new BatchOrder([{ places: [...lists.keys()] }], size, seed)
  return (index) => {
    const random = rng(seed, { stream: firstStream + index })
    return order.batch(index).map((group) => {
      const own = lists[group] ?? []
      return own[random.int(own.length)] ?? 0
    })
  }
}
