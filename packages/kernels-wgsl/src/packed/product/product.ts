import { evenGroups, maxWorkgroups } from '../../dispatch.ts'
import type { Kernel, Problem, Target } from '../../op.ts'
import { assemble, repeat, texture } from '../../wgsl/index.ts'
import { columnBlock } from '../blocks.ts'
import { type Columns, digitsOf } from './digits.ts'
import { placeOf, type Results, storeOf, storeTexels, type Texels } from './store.ts'
import { type RightOperand, sumOf } from './sum.ts'

/**
 * A product of two packed operands, `out[z, row, col] = Σ_k1 Σ_k2 a(z, row, k1, k2) · b(z, col, k1, k2)`, each term the dot
 * product of two four-vectors. Everything about where operands and results stand is numbers, so that one compiled kernel
 * serves matmul, convolutions and their gradients alike.
 */
export interface Product {
  readonly label: string
  readonly problem: Problem
  readonly rows: number
  readonly cols: number
  readonly batch: number
  /** Rounds k1 of the sum, and texels k2 of a round. */
  readonly outer: number
  readonly inner: number
  /**
   * Texture of the left operand in panels as {@link panelTexels} counts them, and texels from one batch to the next (0 if shared).
   * Rounds lie one after another, or, if it is `turned`, texels of a number in the order of rounds.
   */
  readonly a: { readonly texture: number; readonly texels: number; readonly batch: number; readonly turned?: boolean }
  readonly b: RightOperand
  readonly columns: Columns
  /** Where results stand in the problem's output, or the texture that takes them. */
  readonly out: Pick<Results, 'shape' | 'place'> | Texels
}

/**
 * Texels of a sum from which a block has a workgroup of its own: what a workgroup costs is then nothing, and walking on to the
 * next column costs llvmpipe a third of a product of 2048, whose right operand no longer fits its caches.
 */
const longSum = 512

/**
 * Idea: operands are packed into storage textures first, four neighbours of the sum in a texel, because llvmpipe reads a
 * texel for eight lanes in one call where a buffer costs a tested branch a lane. A workgroup is one subgroup; each lane owns
 * four columns and all rows of a block; rows reach it by broadcast. Lanes read neighbouring texels, so caches see streams.
 * Measured on two cores: 60 to 75 GFLOPS at 512×512×512 with packing, where the kernel on buffers reaches 30 to 40.
 */
export function product(p: Product, target: Target): Kernel {
  const lanes = target.subgroupSize
  const sum = sumOf(p, target)
  const { rows } = sum
  const panels = rows / lanes
  const outType = 'texture' in p.out ? 'f32' : p.problem.epilogue?.dtype ?? p.problem.outputs[0]?.dtype ?? 'f32'
  const digits = digitsOf(p.columns, p.cols)
  const rowBlocks = Math.ceil(p.rows / rows)
  const colBlocks = Math.ceil(p.cols / columnBlock(target))
  const from = placeOf('b', p.b)
  const { window } = p.b
  const store = 'texture' in p.out ? storeTexels(p.out, p.cols, rows)
    : storeOf({ problem: p.problem, cols: p.cols, radix: p.columns.radix, ...p.out }, outType === 'f16' ? 'f16' : 'f32', rows)
  return assemble({
    label: `${p.label}/${outType}/panels${rows}${digits.quick ? '' : 'd'}${sum.key}${'texture' in p.out ? '/texels' : ''}`,
    dtype: outType,
    subgroups: true,
    params: {
      rows: p.rows, cols: p.cols, batch: p.batch, row_blocks: rowBlocks, col_blocks: colBlocks,
      turns: p.outer / p.b.turnRadix, inner: p.inner, a_batch: p.a.batch, a_panel: p.outer * p.inner * lanes,
      a_step: p.a.turned ? p.outer * lanes : lanes, a_turn: p.a.turned ? lanes : p.inner * lanes,
      ...digits.params,
      ...from.params,
      turn_radix: p.b.turnRadix, turn1: p.b.turns[0], turn0: p.b.turns[1], b_step: p.b.step,
      ...(window && {
        height: window.size[0], width: window.size[1], y_offset: window.offset[0], x_offset: window.offset[1],
        y_step: window.steps[0], x_step: window.steps[1], y_turn: window.turns[0], x_turn: window.turns[1], zero: window.zero,
      }),
      ...store.params,
    },
    storage: [texture(p.a.texture, p.a.texels, 'a', 'read'), texture(p.b.texture, p.b.texels, 'b', 'read'), ...store.storage],
    body: /* wgsl */ `
override WG: u32;
${digits.wgsl}${from.wgsl}${store.declarations}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var z = w.z; z < P.batch; z += nw.z) {
  for (var block = w.y; block < P.col_blocks; block += nw.y) {
  for (var r = w.x; r < P.row_blocks; r += nw.x) {
    let col = (block * WG + lane) * 4u;
    var start_a = z * P.a_batch + r * ${panels}u * P.a_panel + lane;
    ${repeat(rows, (i) => `var s${i} = vec4f();`)}${sum.statements}
    let first = r * ${rows}u;
    let count = min(${rows}u, P.rows - first);${store.statements}
  }}}
}
`,
    constants: { WG: lanes },
    workgroups: [Math.min(rowBlocks, maxWorkgroups), evenGroups(colBlocks, Math.max(target.tuning.workgroups / rowBlocks, colBlocks * p.outer * p.inner / longSum)), Math.min(p.batch, maxWorkgroups)],
    epilogue: store.epilogue,
  })
}
