import { stridedGroups } from '../dispatch.ts'
import { ShapeError } from '../errors.ts'
import type { Spec, Target } from '../op.ts'
import { sizeOf, shapeText } from '../shape.ts'
import { divider, type Lanes, lanesFor } from '../wgsl/index.ts'

/**
 * Attributes of {@link norm} and its gradients.
 * `groups` divides the channels, `eps` is added to the variance, `rms` leaves the mean out, `affine` says which of
 * weight and bias follow the input, `activation` is applied to what is normalised.
 */
export type NormAttrs = {
  readonly groups: number
  readonly eps: number
  readonly rms: boolean
  readonly affine: 'none' | 'weight' | 'both'
  readonly activation?: 'silu' | undefined
}

/** How many of weight and bias follow the input. */
export function parametersOf({ affine }: NormAttrs): 0 | 1 | 2 {
  return affine === 'both' ? 2 : affine === 'weight' ? 1 : 0
}

/** WGSL of `fn activate(v: Vec) -> Vec`. */
export function activate({ activation }: NormAttrs): string {
  return `fn activate(v: Vec) -> Vec { return v${activation === 'silu' ? ' / (Vec(1) + exp(-v))' : ''}; }`
}

/** WGSL of the mean to store where 1 / deviation is r: NaN with it, where the order of a sum decides between NaN and ∞. */
export const meanOf = 'fn mean_of(mean: f32, r: f32) -> f32 { return select(mean, r, (bitcast<u32>(r) & 0x7fffffffu) > 0x7f800000u); }\n'

/** The end of a label. */
export function activationKey({ activation }: NormAttrs): string {
  return activation ? `/${activation}` : ''
}

/** Sizes of a normalisation: `batch · groups` rows of `channels · inner` contiguous elements. */
export interface Geometry {
  readonly batch: number
  readonly groups: number
  /** Channels of one group. */
  readonly channels: number
  readonly inner: number
}

/** Reads the sizes off x `[N, C, …]`. @throws {ShapeError} if there is no channel axis, no element or groups do not divide */
export function geometry(op: string, x: Spec, { groups }: NormAttrs): Geometry {
  const [batch = 0, c = 0, ...rest] = x.shape
  const inner = sizeOf(rest)
  if (x.shape.length < 2 || c * inner === 0) {
    throw new ShapeError(`${op}: expected an input [N,C,…] with at least one element a row, got ${shapeText(x.shape)}`)
  }
  if (!(Number.isInteger(groups) && groups > 0) || c % groups) {
    throw new ShapeError(`${op}: expected groups that divide ${c} channels, got ${groups}`)
  }
  return { batch, groups, channels: c / groups, inner }
}

/** How a kernel walks rows, and the WGSL that does it. */
export interface RowWalk {
  /** The label's end: what else differs between texts. */
  readonly key: string
  readonly lanes: Lanes
  readonly params: Readonly<Record<string, number>>
  /** Workgroups that keep every lane busy. */
  readonly workgroups: number
  /**
   * Declarations: `Vec` (f32 or four of them), `total(v)`, and the lanes' functions; and the opening of the entry point, up to
   * `row`, its `units` and `base`, the first of them, which `lane` of `lanes` lanes share.
   */
  readonly wgsl: string
  /** Elements per load, and per load of a weight. */
  readonly width: 1 | 4
  readonly weightWidth: 1 | 4
  /**
   * A loop over the row's units `u`, each at flat unit index `u`: `head` runs where `channel` (an index into the weight
   * buffer) is set, `body` for each unit.
   */
  each(head: string, body: string): string
}

/**
 * Idea: one subgroup (or workgroup) a row, four elements a load where rows and channels are multiples of four.
 * Where a channel is at least as long as the lanes are many, its weight is read once and not at each element. On software
 * adapters a subgroup takes several short rows, so that each lane has some eight units: what lanes do to meet is as much work
 * as four units. llvmpipe takes 1.7 to 2.4 times less for rows of 32 or 64 neighbours, 10 to 25 % less for groups of 64 to
 * 128 elements, and 5 % less for their gradients.
 */
export function rowWalk(g: Geometry, weighted: boolean, wide: boolean, target: Target): RowWalk {
  const length = g.channels * g.inner
  const width = wide && length % 4 === 0 && (g.inner === 1 || g.inner % 4 === 0 || !weighted) ? 4 : 1
  const units = length / width
  const lanes = lanesFor(units, target)
  const few = 2 ** Math.ceil(Math.log2(Math.max(1, units / 8)))
  const together = target.kind === 'software' && lanes.subgroups && few < lanes.workgroup
  const perRow = together ? few : lanes.workgroup
  const pointwise = g.inner === 1
  const span = weighted ? (pointwise ? 1 : g.inner / width) : units
  const hoisted = !weighted || (!pointwise && span >= perRow)
  const rows = g.batch * g.groups
  const [byGroups, bySpan] = [divider('groups', g.groups, rows), divider('span', span, units)] as const
  const weightWidth = pointwise ? width : 1
  return {
    key: `${width === 4 ? 'vec4' : 'scalar'}${weighted ? (hoisted ? '/channels' : pointwise ? '/elements' : '/mixed') : ''}/${together ? 'together' : lanes.subgroups ? 'subgroup' : 'tree'}`,
    lanes,
    workgroups: stridedGroups(Math.ceil(rows * perRow / lanes.workgroup), target),
    params: {
      rows, groups: g.groups, units, span,
      channels: weighted ? (pointwise ? units : g.channels) : 1,
      ...byGroups.params, ...bySpan.params, ...(together ? { lanes: perRow } : {}),
    },
    wgsl: /* wgsl */ `
override WG: u32;
alias Vec = ${width === 4 ? 'vec4f' : 'f32'};
fn total(v: Vec) -> f32 { return ${width === 4 ? 'dot(v, vec4f(1))' : 'v'}; }
${together ? rowsTogether : `${lanes.wgsl}${rowEach}`}`,
    width,
    weightWidth,
    each: (head, body) => `
    {
    let own = (row - ${byGroups.over('row')} * P.groups) * P.channels;
    ${hoisted ? /* wgsl */ `for (var c = 0u; c * P.span < units; c++) {
      let channel = own + c;
      ${head}
      for (var u = base + c * P.span + lane; u < base + (c + 1u) * P.span; u += lanes) { ${body} }
    }` : /* wgsl */ `for (var i = lane; i < units; i += lanes) {
      let channel = own + ${pointwise ? 'i' : bySpan.over('i')};
      let u = base + i;
      ${head}
      ${body}
    }`}
    }`,
  }
}

/** A row after another. */
const rowEach = /* wgsl */ `
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let lanes = WG;
  let units = P.units;
  for (var row = w.x; row < P.rows; row += groups.x) {
    let base = row * units;`

/** Several rows at a time, whose lanes meet by exchanges. */
const rowsTogether = /* wgsl */ `
fn all_sum(v: f32, lane: u32) -> f32 {
  var s = v;
  for (var d = 1u; d < P.lanes; d *= 2u) { s += subgroupShuffleXor(s, d); }
  return s;
}
fn first(v: f32, lane: u32) -> f32 { return all_sum(select(0.0, v, lane == 0u), lane); }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) t: u32) {
  let lanes = P.lanes;
  let slot = t / lanes;
  let lane = t - slot * lanes;
  let at_once = WG / lanes;
  for (var top = w.x * at_once; top < P.rows; top += groups.x * at_once) {
    let row = top + slot;
    // lanes without a row only take part in sums
    let units = select(0u, P.units, row < P.rows);
    let base = row * P.units;`
