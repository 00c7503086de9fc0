import { repeat } from '../wgsl/index.ts'
import { type Fetch, fetchTile, walkSum } from './fetch.ts'
import type { Form } from './form.ts'
import { type Gemm, layoutOf } from './problem.ts'

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
// Elements between rows of a tile, of f16 and of f32: with them eight rows of sixteen bytes or more lie in different banks.
const padding = 8

/**
 * Idea: subgroups multiply matrices of 16×16 f16 into f32 on the processor's matrix units, from operand tiles that lie in
 * workgroup memory as they lie in the buffers, along the sum or along their lines. While one pair of tiles is multiplied the
 * next is on its way into registers, sixteen bytes a read where the operands are that regular. Results pass through the memory of
 * the tiles, sixteen rows of every subgroup at a time: all workgroups of one of an H100's processors have 48 KB between them, and
 * with a stage of its own the tile of 128×128 runs alone there, at half the rate.
 *
 * Measured on an H100, 4096×4096×4096: 320 TFLOPS, where torch reaches 690 by instructions that WGSL has not. Storing results takes
 * a twentieth of the time; by single tiles they came at 283. Of earlier forms two pairs of tiles in turn reached 245, 128×256 to a
 * workgroup 290, four elements a read instead of eight 168, tiles twice as deep 208; with no read or store to workgroup memory, 483.
 */
export function matrices(g: Gemm, { rows, cols, down, across }: MatrixShape): Form {
  const threads = down * across * matrixLanes
  const [height, breadth] = [rows * down, cols * across]
  const [m, n] = [rows / 16, cols / 16]
  const fetch = (name: 'a' | 'b', lines: number): Fetch => {
    const width = layoutOf(g, name).multiple % 8 === 0 ? 8 : 1
    return fetchTile(g, name, { lines, depth, threads, width, type: width === 8 ? 'vec4u' : 'f16', whole: g.inner % depth === 0 })
  }
  const [a, b] = [fetch('a', height), fetch('b', breadth)]
  // In reads, from one row of a tile to the next.
  const stride = (f: Fetch): number => ((f.along === 'sum' ? depth : f.lines) + padding) / f.width
  const size = (f: Fetch): number => stride(f) * (f.along === 'sum' ? f.lines : depth)
  // Where both tiles hold vectors they are one array, and results pass through it too; elsewhere through a stage as small as can be.
  const one = a.width === 8 && b.width === 8
  const abreast = one ? n : 1
  const place = (f: Fetch, at: string): readonly [array: string, at: string] =>
    (one ? ['tile', f === a ? at : `${size(a)}u + ${at}`] : [`tile_${f.name}`, at])
  const store = (f: Fetch): string => f.store((l, k, value) => {
    const [major, minor] = f.along === 'sum' ? [l, k] : [k, l]
    const [array, at] = place(f, `(${major}) * ${stride(f)}u + (${minor}) / ${f.width}u`)
    return `${array}[${at}] = ${value};`
  })
  const load = (f: Fetch, line: string, k: number): string => {
    const order = (f.along === 'sum') === (f === a) ? 'row_major' : 'col_major'
    const [array, at] = place(f, f.along === 'sum' ? `(${line}) * ${stride(f)}u + ${k / f.width}u` : `${k * stride(f)}u + (${line}) / ${f.width}u`)
    return `subgroupMatrixLoad<subgroup_matrix_${f === a ? 'left' : 'right'}<f16, 16, 16>, ${order}>(&${array}, ${at}, ${stride(f)}u)`
  }
  // In vectors of four f32: a row of the results of a subgroup that pass at a time, from one to the next, and all sixteen.
  const row = 4 * abreast
  const pitch = row + (one ? padding / 4 : 0)
  const results = down * across * 16 * pitch
  const stage = one ? 'tile' : 'stage'
  return {
    name: `matrices${height}x${breadth}`,
    height,
    breadth,
    depth,
    threads,
    types: [a.type, b.type],
    matrices: true,
    declarations: /* wgsl */ `
${one ? `var<workgroup> tile: array<vec4u, ${Math.max(size(a) + size(b), results)}>;` : `var<workgroup> tile_a: array<${a.type}, ${size(a)}>;
var<workgroup> tile_b: array<${b.type}, ${size(b)}>;
var<workgroup> stage: array<vec4f, ${results}>;`}
fn unstage(z: u32, part: u32, r: u32, c: u32, first: u32, lane: u32) {
  for (var i = lane; i < ${16 * row}u; i += ${matrixLanes}u) {
    put4(z, part, r + i / ${row}u, c + i % ${row}u * 4u, ${one ? 'bitcast<vec4f>' : ''}(${stage}[first + i / ${row}u * ${pitch}u + i % ${row}u]));
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
        ${repeat(n, (j) => repeat(m, (i) => `s${i * n + j} = subgroupMatrixMultiplyAccumulate(x${i}, y${j}, s${i * n + j});`))}
      }`)}`)}
    ${repeat(m, (i) => repeat(n / abreast, (j) => `
    workgroupBarrier();
    ${repeat(abreast, (k) => `subgroupMatrixStore<row_major>(&${stage}, subgroup * ${16 * pitch}u + ${4 * k}u, s${i * n + j * abreast + k}, ${pitch}u);`)}
    workgroupBarrier();
    unstage(z, part, r + down + ${16 * i}u, c + across + ${16 * j * abreast}u, subgroup * ${16 * pitch}u, t % ${matrixLanes}u);`))}`,
  }
}
