import { byteSize, flatConcat, flatOffsets } from '@antipode/kernels-wgsl'
import { apply1, type Tensor } from '../graph/index.ts'

/** Up to this many elements a kernel costs more to start than to run: such tensors share one. */
const small = 2 ** 16
/** Elements of a group at most: 64 MiB in f32, half of what any adapter binds. */
const most = 2 ** 24
/** Tensors of a group at most; where they end is 16 KiB of uniforms that any adapter binds 64 of. */
const many = 4096

/** Cuts a list into groups that share a kernel, by the tensor of each item: small ones of one dtype; others stay alone. */
export function groupsOf<T>(items: readonly T[], tensorOf: (item: T) => Tensor): T[][] {
  const groups: T[][] = []
  const open = new Map<string, { readonly group: T[]; size: number }>()
  for (const item of items) {
    const { size, dtype } = tensorOf(item)
    // Moving tensors together takes whole words.
    if (size === 0 || size > small || size * byteSize(dtype) % 4 !== 0) {
      groups.push([item])
      continue
    }
    const known = open.get(dtype)
    if (known && known.size + size <= most && known.group.length < many) {
      known.group.push(item)
      known.size += size
      continue
    }
    const group = [item]
    groups.push(group)
    open.set(dtype, { group, size })
  }
  return groups
}

/** What `fn` makes of the items of each group, in the order of the items. */
export function together<T>(items: readonly T[], tensorOf: (item: T) => Tensor, fn: (group: readonly T[]) => readonly Tensor[]): Tensor[] {
  const results = new Map<T, Tensor>()
  for (const group of groupsOf(items, tensorOf)) fn(group).forEach((t, k) => { results.set(group[k] as T, t) })
  return items.map((item) => results.get(item) as Tensor)
}

/** The tensors of a group as one, flat, or the only one as it is. */
export function joined(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors as readonly [Tensor]
  return tensors.length === 1 ? first : apply1(flatConcat, tensors)
}

/** The tensors of a group in what became of {@link joined} ones like them. */
export function apart(whole: Tensor, like: readonly Tensor[]): Tensor[] {
  if (like.length === 1) return [whole]
  const { starts } = flatOffsets(like.map((t) => t.size))
  return like.map(({ shape, size }, k) => whole.slice(0, starts[k] ?? 0, (starts[k] ?? 0) + size).reshape(shape))
}
