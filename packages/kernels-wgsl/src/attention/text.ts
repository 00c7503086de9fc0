import { type divider, pick, repeat, weightOf } from '../wgsl/index.ts'
import type { Loop } from './loop.ts'
import type { Schedule } from './schedule.ts'
import type { Sources } from './sources.ts'
import { ownElement, perRow, wordsOf } from './words.ts'

type Divider = ReturnType<typeof divider>

/** Whether scores of −∞ stand for keys that a row does not see, or for rows beyond the last. */
export function hidesScores({ attrs }: Loop, { together }: Sources): boolean {
  return attrs.causal || together > 1
}

/** WGSL of `fn score(dot: R, plane: u32, row: RU, j: u32) -> R`. */
function scoreText(loop: Loop, sources: Sources, { each }: Schedule): string {
  const { type } = perRow(each)
  const { attrs } = loop
  const [query, key] = loop.own === 'queries' ? ['row', `${type('u')}(j)`] : [`${type('u')}(j)`, 'row']
  const mask = attrs.hasMask ? /* wgsl */ `
  let spot = RU(plane) + ${query} * P.keys + ${key};
  t += ${each === 1 ? 'Acc(mask[spot])' : `R(${repeat(each, (c) => `Acc(mask[spot[${c}]])`, ', ')})`};` : ''
  // Visited together, rows go beyond the last.
  const on = [
    ...(attrs.causal ? [`(${key} <= ${query})`] : []),
    ...(sources.together > 1 ? [each === 1 ? '(j < P.others)' : `vec${each}<bool>(j < P.others)`] : []),
  ]
  return /* wgsl */ `fn score(dot: R, plane: u32, row: RU, j: u32) -> R {
  var t = dot * P.scale;${mask}
  return ${hidesScores(loop, sources) ? `select(R(bitcast<f32>(P.off)), t, ${on.join(' & ')})` : 't'};
}
`
}

/** WGSL of `fn meet(x: R) -> R`, the sum over the lanes that share rows. */
function meetText(group: number): string {
  return group === 1 ? '' : `fn meet(x: R) -> R {
  var sum = x;
  ${repeat(Math.log2(group), (k) => `sum += subgroupShuffleXor(sum, ${2 ** k}u);`, ' ')}
  return sum;
}
`
}

/** The end of a loop over a lane's slots, and what holds of channels that are none beyond the last: a lane that shares its rows has such before its last slot. */
function slotsEnd({ slots, group }: Sources): readonly [end: string, real: string] {
  return group === 1 ? ['P.depth', ''] : [`${slots}u`, ' && channel < P.depth']
}

/** WGSL that reads the resident vectors. */
function loadText({ resident }: Loop, sources: Sources, { each }: Schedule): string {
  const { component } = perRow(each)
  const [end, real] = slotsEnd(sources)
  return resident.map((x) => /* wgsl */ `
    for (var d = 0u; d < ${end}; d++) {
      let channel = ${sources.channel('d')};
      for (var c = 0u; c < P.each${real}; c++) { ${component('held[d]')} = Acc(${x}[${ownElement(component('row'), 'channel')}]); }
    }
    ${repeat(sources.slots, (d) => `let ${x}_${d} = held[${d}];`, ' ')}`).join('')
}

/** WGSL that stores the sums. */
function storeText({ sums }: Loop, sources: Sources, { each, lanes, cut }: Schedule): string {
  const { component } = perRow(each)
  const [end, real] = slotsEnd(sources)
  return Object.entries(sums).map(([sum, buffer]) => /* wgsl */ `
    for (var i = 0u; i < ${end}; i++) {
      var ${sum}_ = R();
      ${pick(`${sum}_`, sources.slots)}
      let channel = ${sources.channel('i')};
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * ${lanes}u + place;
        if (r < P.rows${real}) { ${buffer}[${cut ? 'part * P.vectors * P.depth + ' : ''}${ownElement('r', 'channel')}] = ${cut ? 'f32' : 'Scalar'}(${component(`${sum}_`)}); }
      }
    }`).join('')
}

/** WGSL of the first streamed row that a block of rows visits, and of the one after the last. */
function range({ attrs, own }: Loop, { cut }: Schedule): readonly [begin: string, end: string] {
  const [begin, end] = !attrs.causal ? ['0u', 'P.others'] as const : own === 'queries' ? ['0u', 'min(P.others, first + ROWS)'] as const : ['first', 'P.others'] as const
  return cut ? [`max(${begin}, part * P.span)`, `min(${end}, (part + 1u) * P.span)`] : [begin, end]
}

/** The text of a loop's kernel behind its buffers and parameters. */
export function loopText(loop: Loop, sources: Sources, schedule: Schedule, by: { readonly blocks: Divider; readonly heads: Divider }): string {
  const { each, lanes, cut } = schedule
  const { slots, group } = sources
  const { type } = perRow(each)
  const words = wordsOf(loop, sources, schedule)
  return /* wgsl */ `
override WG: u32;
alias R = ${type('f')};
alias RU = ${type('u')};
const ROWS = ${lanes * each}u;
${meetText(group)}${scoreText(loop, sources, schedule)}${weightOf(each)}${sources.declarations}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var turn = w.x; turn < P.items; turn += groups.x) {
    ${cut ? 'let part = turn / P.unparted; let item = turn % P.unparted;' : 'let item = turn;'}
    let unit = ${by.blocks.over('item')};
    let first = (item - unit * P.blocks) * ROWS;
    let batch = ${by.heads.over('unit')};
    let head = unit - batch * P.heads;
    let plane = batch * P.mask_batch + head * P.mask_head;
    let place = lane${group === 1 ? '' : ` / ${group}u`};
    let row = min(RU(first + place)${each === 1 ? '' : ` + ${lanes}u * RU(${repeat(each, (c) => `${c}u`, ', ')})`}, RU(P.rows - 1u));
    // The numbers of the head's first vectors, of those that are owned and of those that stream.
    let own = batch * P.heads * P.rows + head * P.own_head;
    let seen = batch * P.heads * P.others + head * P.seen_head;
    var held = array<R, ${slots}>();${loadText(loop, sources, schedule)}
    ${Object.keys(loop.sums).map((sum) => repeat(slots, (d) => `var ${sum}_${d} = R();`, ' ')).join('\n')}
    ${loop.before?.(words) ?? ''}${sources.loop(...range(loop, schedule), loop.each(words))}
    ${loop.after?.(words) ?? ''}${storeText(loop, sources, schedule)}
  }
}
`
}
