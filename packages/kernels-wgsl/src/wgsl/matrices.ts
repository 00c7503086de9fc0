import { type Fetch, fetchTile, layoutOf, walkSum } from './fetch.ts'
import type { Form, Gemm } from './gemm.ts'
import { repeat } from './kernel.ts'

/** How a workgroup's tile of a product is shared out among subgroups of {@link matrixLanes} lanes. */
export interface MatrixShape {
  /** Rows and columns of a subgroup's part, multiples of 16, and subgroups along each. */
  readonly rows: number
  readonly cols: number
  readonly down: number
  readonly across: number
}

/** Lanes of a subgroup on every adapter that the matrices here were tried on. */
const matrixLanes = 32
const depth = 32
// Elements between rows of a tile: with them eight rows of sixteen bytes lie in different banks.
const padding = 8

/**
 * Idea: subgroups multiply matrices of 16×16 f16 into f32 on the processor's matrix units, from operand tiles that lie in
 * workgroup memory as they lie in the buffers, along the sum or along their lines. While one pair of tiles is multiplied the
 * next is on its way into registers, sixteen bytes a read where the operands are that regular.
 *
 * Measured on an H100, 4096×4096×4096: 280 TFLOPS, where torch reaches 748 by instructions that WGSL has not. Without reads and
 * stores to workgroup memory it would be 483: what moves there is the bound. Four elements a read reach 168, one 117; two pairs
 * of tiles in turn, 151; 128×256 and 256×128 to a workgroup, 247; tiles twice as deep, 208.
 */
export function matrices(g: Gemm, { rows, cols, down, across }: MatrixShape): Form {
  const threads = down * across * matrixLanes
  const [height, breadth] = [rows * down, cols * across]
  const [m, n] = [rows / 16, cols / 16]
  const fetch = (name: 'a' | 'b', lines: number): Fetch => {
    const width = layoutOf(g, name).multiple % 8 === 0 ? 8 : 1
    return fetchTile(g, name, { lines, depth, threads, width, type: width === 8 ? 'vec4u' : 'f16' })
  }
  const [a, b] = [fetch('a', height), fetch('b', breadth)]
  // In reads, from one row of a tile to the next.
  const stride = (f: Fetch): number => ((f.along === 'sum' ? depth : f.lines) + padding) / f.width
  const size = (f: Fetch): number => stride(f) * (f.along === 'sum' ? f.lines : depth)
  const store = (f: Fetch): string => f.store((l, k, value) => {
    const [major, minor] = f.along === 'sum' ? [l, k] : [k, l]
    return `tile_${f.name}[(${major}) * ${stride(f)}u + (${minor}) / ${f.width}u] = ${value};`
  })
  const load = (f: Fetch, line: string, k: number): string => {
    const order = (f.along === 'sum') === (f === a) ? 'row_major' : 'col_major'
    const at = f.along === 'sum' ? `(${line}) * ${stride(f)}u + ${k / f.width}u` : `${k * stride(f)}u + (${line}) / ${f.width}u`
    return `subgroupMatrixLoad<subgroup_matrix_${f === a ? 'left' : 'right'}<f16, 16, 16>, ${order}>(&tile_${f.name}, ${at}, ${stride(f)}u)`
  }
  return {
    name: `matrices${height}x${breadth}`,
    height,
    breadth,
    depth,
    threads,
    types: [a.type, b.type],
    matrices: true,
    declarations: /* wgsl */ `
var<workgroup> tile_a: array<${a.type}, ${size(a)}>;
var<workgroup> tile_b: array<${b.type}, ${size(b)}>;
var<workgroup> stage: array<f32, ${down * across * 256}>;
fn unstage(z: u32, part: u32, r: u32, c: u32, first: u32, lane: u32) {
  for (var i = lane; i < 256u; i += ${matrixLanes}u) {
    let row = r + i / 16u;
    let col = c + i % 16u;
    if (row < P.rows && col < P.cols) { put(z, part, row, col, stage[first + i]); }
  }
}
`,
    tile: /* wgsl */ `let subgroup = t / ${matrixLanes}u;
    let down = subgroup / ${across}u * ${rows}u;
    let across = subgroup % ${across}u * ${cols}u;
    ${a.before('r')}
    ${b.before('c')}
    ${repeat(m * n, (i) => `var s${i} = subgroup_matrix_result<f32, 16, 16>();`)}
    ${walkSum(a, b, depth, store, `
      ${repeat(depth / 16, (k) => `{
        ${repeat(m, (i) => `let x${i} = ${load(a, `down + ${16 * i}u`, 16 * k)};`)}
        ${repeat(n, (j) => `let y${j} = ${load(b, `across + ${16 * j}u`, 16 * k)};`)}
        ${repeat(m, (i) => repeat(n, (j) => `s${i * n + j} = subgroupMatrixMultiplyAccumulate(x${i}, y${j}, s${i * n + j});`))}
      }`)}`)}
    ${repeat(m, (i) => repeat(n, (j) => `
    workgroupBarrier();
    subgroupMatrixStore<row_major>(&stage, subgroup * 256u, s${i * n + j}, 16u);
    workgroupBarrier();
    unstage(z, part, r + down + ${16 * i}u, c + across + ${16 * j}u, subgroup * 256u, t % ${matrixLanes}u);`))}`,
  }
}
