import type { Target } from '../../op.ts'
import { repeat } from '../../wgsl/index.ts'
import { rowBlock } from '../blocks.ts'
import type { Columns } from './digits.ts'
import type { Place } from './store.ts'

/**
 * The right operand of a product. A column begins at its place; round k1 adds `(k1 / radix)·turns[0] + (k1 %
 * radix)·turns[1]`, which may be negative, and each k2 adds `step`. Rounds are a multiple of the radix.
 */
export interface RightOperand extends Place {
  readonly texture: number
  readonly texels: number
  readonly turnRadix: number
  readonly turns: readonly [number, number]
  readonly step: number
  /**
   * Where a column's window lies in an image, and which part of it a round reads: row `offset[0] + c1·steps[0] + (k1 /
   * radix)·turns[0]` and column `offset[1] + c0·steps[1] + (k1 % radix)·turns[1]`. Outside the image texel `zero` is
   * read. Absent where all lies inside.
   */
  readonly window?: {
    readonly size: readonly [number, number]
    readonly offset: readonly [number, number]
    readonly steps: readonly [number, number]
    readonly turns: readonly [number, number]
    readonly zero: number
  }
}

/** What the form of a sum depends on. */
export interface Summands {
  readonly rows: number
  readonly columns: Columns
  readonly b: RightOperand
}

/** How a product sums: rows of its block, and the part of its text that adds to them. */
export interface Sum {
  readonly key: string
  readonly rows: number
  /**
   * Statements that add to `s0`, `s1`…, each four columns from `col` on of batch z, of a left operand that begins at
   * `start_a`.
   */
  readonly statements: string
}

const dot = (row: string, b: number): string => `((${row}.x * b${b}.x + ${row}.y * b${b}.y) + ${row}.z * b${b}.z) + ${row}.w * b${b}.w`

/** The form for a product: {@link rowOfTaps} where it can be had, else {@link tapByTap}. */
export function sumOf({ rows, columns, b }: Summands, target: Target): Sum {
  const { panel, block } = rowBlock(rows, target)
  const { window, turnRadix, turns: [, turn], steps: [, , step] } = b
  const neighbours = columns.radix[1] % 4 === 0 && step === 1 && window?.steps[1] === 1 && window.turns[1] === turn && Math.abs(turn) === 1
  return neighbours && turnRadix === taps ? rowOfTaps(b, Math.min(block, 2 * panel), panel) : tapByTap(b, block, panel)
}

/** Each round reads the texels of four columns wherever they lie. */
function tapByTap({ window }: RightOperand, rows: number, lanes: number): Sum {
  const panels = rows / lanes
  return {
    key: window ? '/window' : '', rows,
    statements: /* wgsl */ `
    ${repeat(4, (j) => `let d${j} = digits(min(col + ${j}u, P.cols - 1u));`)}
    let place = vec4u(place_b(z, d0), place_b(z, d1), place_b(z, d2), place_b(z, d3));
    ${window ? 'let y = P.y_offset + P.y_step * vec4u(d0.y, d1.y, d2.y, d3.y); let x = P.x_offset + P.x_step * vec4u(d0.z, d1.z, d2.z, d3.z);' : ''}
    for (var t1 = 0u; t1 < P.turns; t1++) { for (var t0 = 0u; t0 < P.turn_radix; t0++) {
      var at_b = place + t1 * P.turn1 + t0 * P.turn0;
      ${window ? `let inside = (y + t1 * P.y_turn < vec4u(P.height)) & (x + t0 * P.x_turn < vec4u(P.width));
      at_b = select(vec4u(P.zero), at_b, inside);
      let b_step = select(vec4u(), vec4u(P.b_step), inside);` : 'let b_step = P.b_step;'}
      var at_a = start_a;
      for (var k2 = 0u; k2 < P.inner; k2++) {
        ${repeat(panels, (q) => `let a${q} = textureLoad(a, at(at_a + ${q}u * P.a_panel));`)}
        ${repeat(4, (j) => `let b${j} = textureLoad(b, at(at_b[${j}]));`)}
        ${repeat(rows, (i) => `let e${i} = subgroupBroadcast(a${Math.floor(i / lanes)}, ${i % lanes}u); s${i} += vec4f(${[0, 1, 2, 3].map((j) => dot(`e${i}`, j)).join(', ')});`)}
        at_a += P.a_step;
        at_b += b_step;
      }
      start_a += P.a_turn;
    }}`,
  }
}

/** Taps of a row that are summed at once. */
const taps = 3

/**
 * Idea: the taps of a row meet the same pixels, moved by one: four neighbouring columns and three taps are twelve
 * products of six texels, and what a lane carries from round to round in memory is carried a third as often. Half as
 * many rows as in {@link tapByTap} then do best (95 against 89 GFLOPS for 64 channels of 64×64 pixels, 63 against 55
 * for 16 of 8×8).
 */
function rowOfTaps({ turns }: RightOperand, rows: number, lanes: number): Sum {
  const panels = rows / lanes
  const back = turns[1] < 0
  const texels = taps + 3
  const pixel = (tap: number, column: number): number => column + (back ? taps - 1 - tap : tap)
  return {
    key: '/row', rows,
    statements: /* wgsl */ `
    let d0 = digits(min(col, P.cols - 4u));
    let y = P.y_offset + P.y_step * d0.y;
    let x = P.x_offset + d0.z${back ? ` - ${taps - 1}u` : ''};
    ${repeat(texels, (u) => `let within${u} = x + ${u}u < P.width;`)}
    for (var t1 = 0u; t1 < P.turns; t1++) {
      let within = y + t1 * P.y_turn < P.height;
      var at_b = place_b(z, d0) + t1 * P.turn1${back ? ` - ${taps - 1}u` : ''};
      var at_a = start_a;
      for (var k2 = 0u; k2 < P.inner; k2++) {
        ${repeat(taps, (t) => repeat(panels, (q) => `let a${q}_${t} = textureLoad(a, at(at_a + ${t}u * P.a_turn + ${q}u * P.a_panel));`))}
        ${repeat(texels, (u) => `let b${u} = textureLoad(b, at(select(P.zero, at_b + ${u}u, within && within${u})));`)}
        ${repeat(rows, (i) => `${repeat(taps, (t) => `let e${i}_${t} = subgroupBroadcast(a${Math.floor(i / lanes)}_${t}, ${i % lanes}u);`)}
        s${i} += ${repeat(taps, (t) => `vec4f(${[0, 1, 2, 3].map((j) => dot(`e${i}_${t}`, pixel(t, j))).join(', ')})`, ' + ')};`)}
        at_a += P.a_step;
        at_b += P.b_step;
      }
      start_a += ${taps}u * P.a_turn;
    }`,
  }
}
