import { partsOf, stridedGroups } from '../dispatch.ts'
import type { Kernel, Target } from '../op.ts'
import { sizeOf } from '../shape.ts'
import { assemble, output, scratch } from '../wgsl/index.ts'
import { build, runStruct } from './build.ts'
import type { Form } from './form.ts'
import { matrices } from './matrices.ts'
import { type Gemm, outputType } from './problem.ts'
import { tiles, tilesBytes } from './tiles.ts'

/** The form for a product, by its type and by how many tiles there are: small ones where big ones would leave processors idle. */
function formOf(g: Gemm, target: Target): Form {
  const { busy } = target.tuning
  const tilesOf = (height: number, breadth: number): number => Math.ceil(g.rows / height) * Math.ceil(g.cols / breadth) * g.batch
  if (target.matrices && g.problem.inputs[0]?.dtype === 'f16' && Math.min(g.rows, g.cols) >= 16) {
    return matrices(g, tilesOf(128, 128) >= busy / 2 ? { rows: 64, cols: 64, down: 2, across: 2 } : { rows: 32, cols: 32, down: 2, across: 2 })
  }
  return tiles(g, tilesOf(128, 128) >= busy / 2 && tilesBytes(8) <= target.workgroupBytes ? 8 : 4, target)
}

const putVector = /* wgsl */ `
fn put4(z: u32, part: u32, row: u32, col: u32, v: vec4f) {
  if (row >= P.rows || col >= P.cols) { return; }
  let o = out_column(z, col) + row * P.row_stride;
  out[(part * P.size + o) / 4u] = vec4<Out>(vec4f(epilogue(v.x, o), epilogue(v.y, o + 1u), epilogue(v.z, o + 2u), epilogue(v.w, o + 3u)));
}
`

const putEach = /* wgsl */ `
fn put4(z: u32, part: u32, row: u32, col: u32, v: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (row < P.rows && col + j < P.cols) {
      let o = out_column(z, col + j) + row * P.row_stride;
      out[part * P.size + o] = Out(epilogue(v[j], o));
    }
  }
}
`

/** Steps of the sum that a part of it should at least have. */
const fewSteps = 8

/**
 * Tiles on GPUs. Where there are too few to keep the processors busy, the sum is cut into parts, whose results a second kernel
 * adds: weight gradients are a few filters by a few taps, summed over all pixels of all images.
 */
export function tiledGemm(g: Gemm, target: Target): Kernel[] {
  const form = formOf(g, target)
  const [down, across] = [Math.ceil(g.rows / form.height), Math.ceil(g.cols / form.breadth)]
  const round = Math.max(1, Math.ceil(g.inner / form.depth))
  const all = g.outer * round
  const { count: parts, span: steps } = partsOf(all, { most: target.tuning.busy / 2 / (down * across * g.batch), least: fewSteps, unit: 1 })
  const size = sizeOf(g.problem.outputs[0]?.shape ?? [])
  const outType = parts > 1 ? 'f32' : outputType(g.problem)
  const body = /* wgsl */ `${runStruct}${g.walks}
override WG: u32;
${g.rowStride % 4 === 0 ? putVector : putEach}
${form.declarations}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var slice = w.z; slice < P.batch * P.parts; slice += nw.z) {
  for (var row_block = w.y; row_block < P.row_blocks; row_block += nw.y) {
  for (var col_block = w.x; col_block < P.col_blocks; col_block += nw.x) {
    let r = row_block * ${form.height}u;
    let c = col_block * ${form.breadth}u;
    let z = slice / P.parts;
    let part = slice % P.parts;
    ${form.tile}
  }}}
}
`
  const kernel = build({ ...g, storage: [{ ...g.storage[0], type: form.types[0] }, { ...g.storage[1], type: form.types[1] }] }, {
    name: form.name, body, outType, workgroup: form.threads, groups: [across, down, g.batch * parts],
    params: { row_blocks: down, col_blocks: across, parts, steps, all_steps: all, round, size },
    ...(form.matrices ? { matrices: true } : {}),
    vectors: g.rowStride % 4 === 0,
    ...(parts > 1 ? { out: scratch(0, parts * size * 4, 'out'), epilogue: undefined } : {}),
  })
  return parts === 1 ? [kernel] : [{ ...kernel, share: 1 }, sumParts(g, parts, size, target)]
}

/** Adds the parts of a product, `part` [parts, size], to its output. */
function sumParts(g: Gemm, parts: number, size: number, target: Target): Kernel {
  const outType = outputType(g.problem)
  const WG = 64
  return {
    ...assemble({
      label: `${g.label}/${outType}/parts`,
      dtype: outType,
      params: { parts, size },
      storage: [scratch(0, parts * size * 4, 'part'), output(0, 'out')],
      body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var i = w.x * WG + t; i < P.size; i += nw.x * WG) {
    var s = 0.0;
    for (var p = 0u; p < P.parts; p++) { s += part[p * P.size + i]; }
    out[i] = Scalar(epilogue(s, i));
  }
}
`,
      constants: { WG },
      workgroups: [stridedGroups(Math.ceil(size / WG), target), 1, 1],
      epilogue: g.problem.epilogue,
    }),
    share: 0,
  }
}
