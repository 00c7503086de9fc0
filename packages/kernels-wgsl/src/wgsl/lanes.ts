import type { Target } from '../op.ts'

/** How the lanes of a workgroup that share one row meet. */
export interface Lanes {
  readonly subgroups: boolean
  readonly workgroup: number
  /**
   * WGSL of `fn all_sum(v: f32, lane: u32) -> f32`, `fn all_max(…)` and `fn first(v: f32, lane: u32) -> f32` (lane 0's
   * value), each returning the same to every lane; they must be called in uniform control flow. Needs `override WG`.
   */
  readonly wgsl: string
}

const subgroupLanes = /* wgsl */ `
fn all_sum(v: f32, lane: u32) -> f32 { return subgroupAdd(v); }
fn all_max(v: f32, lane: u32) -> f32 { return subgroupMax(v); }
fn first(v: f32, lane: u32) -> f32 { return subgroupBroadcastFirst(v); }
`

// Each call begins with a barrier, because lanes may still be reading what the call before left in `part`.
const tree = (name: string, merge: string): string => /* wgsl */ `
fn ${name}(v: f32, lane: u32) -> f32 {
  workgroupBarrier();
  part[lane] = v;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) { let a = part[lane]; let b = part[lane + half]; part[lane] = ${merge}; }
    workgroupBarrier();
  }
  return part[0];
}
`

/**
 * Lanes for rows of `units` loads each: one subgroup a row where that keeps a lane's loop short or the adapter is a
 * software one, which dislikes barriers; else a workgroup that meets in workgroup memory.
 */
export function lanesFor(units: number, target: Target): Lanes {
  const { subgroupSize } = target
  if (subgroupSize > 0 && (target.kind === 'software' || units <= 64 * subgroupSize)) {
    return { subgroups: true, workgroup: subgroupSize, wgsl: subgroupLanes }
  }
  return {
    subgroups: false,
    workgroup: units <= 256 ? 64 : 256,
    wgsl: /* wgsl */ `
var<workgroup> part: array<f32, WG>;
${tree('all_sum', 'a + b')}${tree('all_max', 'max(a, b)')}
fn first(v: f32, lane: u32) -> f32 {
  workgroupBarrier();
  if (lane == 0u) { part[0] = v; }
  workgroupBarrier();
  return part[0];
}
`,
  }
}
