import { partsOf, stridedGroups } from '../dispatch.ts'
import { type DType, f32Bits, type Kernel, type Target } from '../op.ts'
import { assemble, divider, minusInfinityBits, pick, repeat, type Storage, weightOf } from '../wgsl/index.ts'
import { mergeParts, type Partial, partStorage } from './split.ts'
import { type AttentionAttrs, type Sizes, vectorSteps } from './sizes.ts'
import { type Passing, seenVector, type Sources } from './sources.ts'

/**
 * The one loop that attention and its gradients share. Each lane owns one, two or four rows (queries or keys) whose
 * vectors it holds in registers; rows of the other kind stream past, some at a time, seen by all lanes.
 */
export interface Loop {
  readonly label: string
  readonly dtype: DType
  readonly sizes: Sizes
  readonly attrs: AttentionAttrs
  /** Whose rows the lanes own; the others stream. */
  readonly own: 'queries' | 'keys'
  /** Buffers of vectors held by the lanes that own their rows, and buffers that stream. */
  readonly resident: readonly string[]
  readonly streamed: readonly string[]
  /** Sums of the owned rows, vectors too, each stored to the buffer named. */
  readonly sums: Readonly<Record<string, string>>
  /** Where sums are means, the buffers of their log-sum-exps and statistics, one and two numbers an owned row: see {@link Words.finish}. */
  readonly means?: { readonly log: string; readonly statistics: string }
  readonly storage: readonly Storage[]
  /**
   * WGSL before the loop, at the streamed rows from `j` on, and after the loop. Known there: the owned `row`s, where in the mask
   * the head's `plane` begins, `score(dot, plane, row, j)` of a row (−∞ beyond the last), `weight(d)` of a score less the largest, and `R`,
   * the type of one number per owned row.
   */
  readonly before?: (w: Words) => string
  readonly each: (w: Words) => string
  readonly after?: (w: Words) => string
  /** The loop's part of its op's arithmetic, where that takes several. */
  readonly share?: number
}

/** What depends on the form of the text: arithmetic unrolled over channels and streamed rows, and numbers per owned row. */
export interface Words {
  /** A statement for each of the rows visited at once, or an expression of all of them. */
  rows(f: (i: number) => string, merge?: '+' | 'max'): string
  /** `Σ_d x_d · y_d` of a resident row and the i-th streamed one. */
  dot(x: string, y: string, i: number): string
  /** `sum_d = keep · sum_d + Σ_i by_i · y_i,d` for all d. */
  add(sum: string, by: string, y: string, keep?: string): string
  /** `sum_d = sum_d · by` for all d, or 0 where `none` holds, whatever it is. */
  scale(sum: string, by: string, none: string): string
  /** Reads the k-th of so many numbers a row, the only one unless said, into a new `name: R`. */
  read(name: string, buffer: string, of?: readonly [each: number, k: number]): string
  /** Such a number of the i-th streamed row. */
  seen(buffer: string, i: number, of?: readonly [each: number, k: number]): string
  /** Stores what {@link finished} makes of `top` and `total`, or for a part of the stream these themselves. */
  readonly finish: string
}

/** What streams past in a loop. */
export function passing({ label, dtype, streamed, storage, sizes, own, resident, sums, means }: Loop): Passing {
  const { queries, keys } = sizes
  const [rows, others] = own === 'queries' ? [queries, keys] : [keys, queries]
  return { label, dtype, names: streamed, storage, sizes, held: resident.length + Object.keys(sums).length, rows, others, together: means ? 2 : 1 }
}

/** The kernels of a loop. Its text differs by the head's size in whole registers, and by how rows reach the lanes, in nothing else. */
export function loopKernels(s: Loop, form: Sources, target: Target): Kernel[] {
  const { keys, depth, batch, heads, maskBatch, maskHead } = s.sizes
  const { rows, others, held } = passing(s)
  const { slots, together, group } = form
  const lanes = form.lanes / group
  // More rows a lane are fewer loads a multiply-add; a software adapter spills to fast memory, a GPU should not spill.
  let each = held * slots * 4 <= form.budget ? 4 : held * slots * 2 <= form.budget ? 2 : 1
  while (each > 1 && lanes * each / 2 >= rows) each /= 2
  const blocks = Math.ceil(rows / (lanes * each))
  const items = batch * heads * blocks
  // As many as keep an H100 busy: they make gradients of 77 keys over 4,096 queries 13 times as fast, and attention over 1,024 tokens
  // of 8 heads twice; twice as many are slower or no faster.
  const most = form.least === undefined ? 1 : target.variants.busy / items
  const parts = partsOf(others, { most, least: form.least ?? 1, unit: form.least ?? 1 })
  const cut = parts.count > 1
  const type = (scalar: string): string => (each === 1 ? { f: 'f32', u: 'u32' }[scalar] ?? '' : `vec${each}${scalar}`)
  const component = (name: string): string => (each === 1 ? name : `${name}[c]`)
  const vector = (row: string): string => `own + ${row} * P.token`
  const element = (row: string, d: string): string => `own * P.depth + ${row} * P.token_elements + ${d}`
  const words: Words = {
    rows: (f, merge) => (merge === 'max' ? Array.from({ length: together }, (_, i) => f(i)).reduce((a, b) => `max(${a}, ${b})`)
      : merge ? `(${repeat(together, f, ' + ')})` : repeat(together, f)),
    // Partial sums of eight, so that the additions do not wait for one another.
    dot: (x, y, i) => {
      const sums = repeat(Math.ceil(slots / 8), (g) =>
        `(${repeat(Math.min(8, slots - 8 * g), (k) => `${x}_${8 * g + k} * ${form.element(y, 8 * g + k, i)}`, ' + ')})`, '\n + ')
      return group === 1 ? sums : `meet(${sums})`
    },
    add: (sum, by, y, keep) => repeat(slots, (d) =>
      `${sum}_${d} = ${keep ? `${keep} * ` : ''}${sum}_${d} + ${words.rows((i) => `${by}_${i} * ${form.element(y, d, i)}`, '+')};`),
    scale: (sum, by, none) => repeat(slots, (d) => `${sum}_${d} = select(${sum}_${d} * ${by}, R(), ${none});`, ' '),
    read: (name, buffer, [numbers, k] = [1, 0]) => `var ${name} = R();
    for (var c = 0u; c < P.each; c++) { ${component(name)} = ${buffer}[${numbers}u * (${vector(component('row'))}) + ${k}u]; }`,
    // Beyond the last row there are zeros, of its vectors too, so that none of the last row's counts twice.
    seen: (buffer, i, [numbers, k] = [1, 0]) => {
      const number = `${buffer}[${numbers}u * (${seenVector(i)}) + ${k}u]`
      return together > 1 ? `select(0.0, ${number}, j + ${i}u < P.others)` : number
    },
    finish: !s.means ? '' : `for (var c = 0u; c < P.each; c++) {
      let r = first + c * ${lanes}u + place;
      if (r < P.rows${group === 1 ? '' : ` && lane % ${group}u == 0u`}) {
        let at = ${cut ? 'part * P.vectors + ' : ''}${vector('r')};
        ${s.means.statistics}[2u * at] = ${component(cut ? 'top' : 'high')};
        ${s.means.statistics}[2u * at + 1u] = ${component(cut ? 'total' : 'norm')};
        ${cut ? '' : `${s.means.log}[at] = ${component('log_sum')};`}
      }
    }`,
  }
  const [query, key] = s.own === 'queries' ? ['row', `${type('u')}(j)`] : [`${type('u')}(j)`, 'row']
  const maskText = s.attrs.hasMask ? /* wgsl */ `
  let spot = RU(plane) + ${query} * P.keys + ${key};
  t += ${each === 1 ? 'Acc(mask[spot])' : `R(${repeat(each, (c) => `Acc(mask[spot[${c}]])`, ', ')})`};` : ''
  // Visited together, rows go beyond the last.
  const on = [
    ...(s.attrs.causal ? [`(${key} <= ${query})`] : []),
    ...(together > 1 ? [each === 1 ? '(j < P.others)' : `vec${each}<bool>(j < P.others)`] : []),
  ]

  // A lane that shares its rows has channels beyond the last in slots before its last.
  const [slotsEnd, real] = group === 1 ? ['P.depth', ''] : [`${slots}u`, ' && channel < P.depth']
  const load = s.resident.map((x) => /* wgsl */ `
    for (var d = 0u; d < ${slotsEnd}; d++) {
      let channel = ${form.channel('d')};
      for (var c = 0u; c < P.each${real}; c++) { ${component('held[d]')} = Acc(${x}[${element(component('row'), 'channel')}]); }
    }
    ${repeat(slots, (d) => `let ${x}_${d} = held[${d}];`, ' ')}`).join('')
  const ends = s.attrs.causal ? (s.own === 'queries' ? ['0u', 'min(P.others, first + ROWS)'] : ['first', 'P.others']) : ['0u', 'P.others']
  const range = cut ? [`max(${ends[0]}, part * P.span)`, `min(${ends[1]}, (part + 1u) * P.span)`] : ends
  const store = Object.entries(s.sums).map(([sum, buffer]) => /* wgsl */ `
    for (var i = 0u; i < ${slotsEnd}; i++) {
      var ${sum}_ = R();
      ${pick(`${sum}_`, slots)}
      let channel = ${form.channel('i')};
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * ${lanes}u + place;
        if (r < P.rows${real}) { ${buffer}[${cut ? 'part * P.vectors * P.depth + ' : ''}${element('r', 'channel')}] = ${cut ? 'f32' : 'Scalar'}(${component(`${sum}_`)}); }
      }
    }`).join('')

  const named = (name: string): Storage => s.storage.find((x) => x.name === name) as Storage // whoever names a buffer binds it
  const results: Partial = {
    label: s.label, dtype: s.dtype, parts: parts.count, vectors: batch * heads * rows, depth,
    sums: s.storage.filter(({ name }) => Object.values(s.sums).includes(name)),
    means: s.means && { log: named(s.means.log), statistics: named(s.means.statistics) },
  }
  const scratches = new Map(cut ? partStorage(results).map((x) => [x.name, x]) : [])
  const [toOwn, toSeen] = [vectorSteps(s.sizes, rows), vectorSteps(s.sizes, others)]
  const [byBlocks, byHeads] = [divider('blocks', blocks, items), divider('heads', heads, batch * heads)] as const
  const kernel = assemble({
    label: `${s.label}/${s.dtype}/${slots}x${each}${s.attrs.causal ? '/causal' : ''}${s.attrs.hasMask ? '/mask' : ''}/${form.key}`,
    dtype: s.dtype,
    subgroups: form.subgroups,
    params: {
      items: items * parts.count, blocks, rows, others, keys, depth, each, heads, ...byBlocks.params, ...byHeads.params,
      own_head: toOwn.head, seen_head: toSeen.head, token: toOwn.token, token_elements: toOwn.token * depth,
      mask_batch: maskBatch, mask_head: maskHead, 'scale: f32': f32Bits(s.attrs.scale), ...form.params,
      ...(on.length ? { off: minusInfinityBits } : {}),
      ...(cut ? { unparted: items, span: parts.span, vectors: results.vectors } : {}),
    },
    storage: form.storage.filter(({ name }) => !cut || name !== s.means?.log).map((x) => scratches.get(x.name) ?? x),
    body: /* wgsl */ `
override WG: u32;
alias R = ${type('f')};
alias RU = ${type('u')};
const ROWS = ${lanes * each}u;
${group === 1 ? '' : `fn meet(x: R) -> R {
  var sum = x;
  ${repeat(Math.log2(group), (k) => `sum += subgroupShuffleXor(sum, ${2 ** k}u);`, ' ')}
  return sum;
}
`}fn score(dot: R, plane: u32, row: RU, j: u32) -> R {
  var t = dot * P.scale;${maskText}
  return ${on.length ? `select(R(bitcast<f32>(P.off)), t, ${on.join(' & ')})` : 't'};
}
${weightOf(each)}${form.declarations}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var turn = w.x; turn < P.items; turn += groups.x) {
    ${cut ? 'let part = turn / P.unparted; let item = turn % P.unparted;' : 'let item = turn;'}
    let unit = ${byBlocks.over('item')};
    let first = (item - unit * P.blocks) * ROWS;
    let batch = ${byHeads.over('unit')};
    let head = unit - batch * P.heads;
    let plane = batch * P.mask_batch + head * P.mask_head;
    let place = lane${group === 1 ? '' : ` / ${group}u`};
    let row = min(RU(first + place)${each === 1 ? '' : ` + ${lanes}u * RU(${repeat(each, (c) => `${c}u`, ', ')})`}, RU(P.rows - 1u));
    // The numbers of the head's first vectors, of those that are owned and of those that stream.
    let own = batch * P.heads * P.rows + head * P.own_head;
    let seen = batch * P.heads * P.others + head * P.seen_head;
    var held = array<R, ${slots}>();${load}
    ${Object.keys(s.sums).map((sum) => repeat(slots, (d) => `var ${sum}_${d} = R();`, ' ')).join('\n')}
    ${s.before?.(words) ?? ''}${form.loop(range[0] ?? '', range[1] ?? '', s.each(words))}
    ${s.after?.(words) ?? ''}${store}
  }
}
`,
    constants: { WG: form.lanes },
    workgroups: [stridedGroups(items * parts.count, target), 1, 1],
    epilogue: null,
  })
  const share = s.share ?? (cut ? 1 : undefined)
  const shared = share === undefined ? kernel : { ...kernel, share }
  return cut ? [...form.kernels, shared, mergeParts(results, target)] : [...form.kernels, shared]
}
