import { ShapeError } from '../errors.ts'
import type { Spec, Target } from '../op.ts'
import { sizeOf, shapeText } from '../shape.ts'
import { divider, type Lanes, lanesFor } from '../wgsl/index.ts'

/**
 * Attributes of {@link norm} and its gradients.
 * `groups` divides the channels, `eps` is added to the variance, `rms` leaves the mean out, `affine` says which of
 * weight and bias follow the input.
 */
export type NormAttrs = {
  readonly groups: number
  readonly eps: number
  readonly rms: boolean
  readonly affine: 'none' | 'weight' | 'both'
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
  readonly rows: number
  readonly params: Readonly<Record<string, number>>
  /** Declarations: `Vec` (f32 or four of them), `total(v)`, and the lanes' functions. */
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
 * Where a channel is at least as long as the lanes are many, its weight is read once and not at each element.
 */
export function rowWalk(g: Geometry, weighted: boolean, wide: boolean, target: Target): RowWalk {
  const length = g.channels * g.inner
  const width = wide && length % 4 === 0 && (g.inner === 1 || g.inner % 4 === 0 || !weighted) ? 4 : 1
  const units = length / width
  const lanes = lanesFor(units, target)
  const pointwise = g.inner === 1
  const span = weighted ? (pointwise ? 1 : g.inner / width) : units
  const hoisted = !weighted || (!pointwise && span >= lanes.workgroup)
  const rows = g.batch * g.groups
  const [byGroups, bySpan] = [divider('groups', g.groups, rows), divider('span', span, units)] as const
  const weightWidth = pointwise ? width : 1
  return {
    key: `${width === 4 ? 'vec4' : 'scalar'}${weighted ? (hoisted ? '/channels' : pointwise ? '/elements' : '/mixed') : ''}/${lanes.subgroups ? 'subgroup' : 'tree'}`,
    lanes,
    rows,
    params: {
      rows, groups: g.groups, units, span,
      channels: weighted ? (pointwise ? units : g.channels) : 1,
      ...byGroups.params, ...bySpan.params,
    },
    wgsl: /* wgsl */ `
override WG: u32;
alias Vec = ${width === 4 ? 'vec4f' : 'f32'};
fn total(v: Vec) -> f32 { return ${width === 4 ? 'dot(v, vec4f(1))' : 'v'}; }
${lanes.wgsl}`,
    width,
    weightWidth,
    each: (head, body) => `
    {
    let own = (row - ${byGroups.over('row')} * P.groups) * P.channels;
    ${hoisted ? /* wgsl */ `for (var c = 0u; c < P.channels; c++) {
      let channel = own + c;
      ${head}
      for (var u = base + c * P.span + lane; u < base + (c + 1u) * P.span; u += WG) { ${body} }
    }` : /* wgsl */ `for (var i = lane; i < P.units; i += WG) {
      let channel = own + ${pointwise ? 'i' : bySpan.over('i')};
      let u = base + i;
      ${head}
      ${body}
    }`}
    }`,
  }
}

/** The opening of a row kernel's entry point, up to `row` and `base`, its first unit. */
export const rowLoop = /* wgsl */ `
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var row = w.x; row < P.rows; row += groups.x) {
    let base = row * P.units;`
