import { stridedGroups } from '../dispatch.ts'
import { f32Bits, type Kernel, type Target } from '../op.ts'
import { assemble, divider, minusInfinityBits, type Storage } from '../wgsl/index.ts'
import type { Loop } from './loop.ts'
import { type Schedule, scheduleOf } from './schedule.ts'
import { vectorSteps } from './sizes.ts'
import type { Sources } from './sources.ts'
import { mergeParts, type Partial, partStorage } from './split.ts'
import { hidesScores, loopText } from './text.ts'

/** The kernels of a loop. Its text differs by the head's size in whole registers, and by how rows reach the lanes, in nothing else. */
export function loopKernels(loop: Loop, sources: Sources, target: Target): Kernel[] {
  const { label, dtype, attrs, sizes: { batch, heads } } = loop
  const schedule = scheduleOf(loop, sources, target)
  const { each, blocks, items, parts, cut } = schedule
  const results = resultsOf(loop, schedule)
  const by = { blocks: divider('blocks', blocks, items), heads: divider('heads', heads, batch * heads) }
  const kernel = assemble({
    label: `${label}/${dtype}/${sources.slots}x${each}${attrs.causal ? '/causal' : ''}${attrs.hasMask ? '/mask' : ''}/${sources.key}`,
    dtype,
    subgroups: sources.subgroups,
    params: {
      ...sizeParams(loop, schedule), ...by.blocks.params, ...by.heads.params, ...stepParams(loop, schedule), ...sources.params,
      ...(hidesScores(loop, sources) ? { off: minusInfinityBits } : {}),
      ...(cut ? { unparted: items, span: parts.span, vectors: results.vectors } : {}),
    },
    storage: cut ? partedStorage(loop, sources, results) : sources.storage,
    body: loopText(loop, sources, schedule, by),
    constants: { WG: sources.lanes },
    workgroups: [stridedGroups(items * parts.count, target), 1, 1],
    epilogue: null,
  })
  const share = loop.share ?? (cut ? 1 : undefined)
  return [...sources.kernels, share === undefined ? kernel : { ...kernel, share }, ...(cut ? [mergeParts(results, target)] : [])]
}

function sizeParams({ sizes: { keys, depth, heads } }: Loop, { rows, others, each, blocks, items, parts }: Schedule): Record<string, number> {
  return { items: items * parts.count, blocks, rows, others, keys, depth, each, heads }
}

/** How far apart heads and tokens lie, of the rows that are owned and of those that stream, and of the mask. */
function stepParams({ sizes, attrs }: Loop, { rows, others }: Schedule): Record<string, number> {
  const [own, seen] = [vectorSteps(sizes, rows), vectorSteps(sizes, others)]
  return {
    own_head: own.head, seen_head: seen.head, token: own.token, token_elements: own.token * sizes.depth,
    mask_batch: sizes.maskBatch, mask_head: sizes.maskHead, 'scale: f32': f32Bits(attrs.scale),
  }
}

/** What a loop makes, should it be cut. */
function resultsOf({ label, dtype, sizes: { batch, heads, depth }, sums, means, storage }: Loop, { rows, parts }: Schedule): Partial {
  const named = (name: string): Storage => storage.find((x) => x.name === name) as Storage // whoever names a buffer binds it
  return {
    label, dtype, parts: parts.count, vectors: batch * heads * rows, depth,
    sums: storage.filter(({ name }) => Object.values(sums).includes(name)),
    means: means && { log: named(means.log), statistics: named(means.statistics) },
  }
}

/** What a loop binds whose results are parts: scratch buffers in place of its outputs, and no log-sum-exps. */
function partedStorage({ means }: Loop, { storage }: Sources, results: Partial): Storage[] {
  const scratches = new Map(partStorage(results).map((x) => [x.name, x]))
  return storage.filter(({ name }) => name !== means?.log).map((x) => scratches.get(x.name) ?? x)
}
