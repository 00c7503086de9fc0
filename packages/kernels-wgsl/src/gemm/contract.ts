import type { Kernel, Problem, Target } from '../op.ts'
import type { Storage } from '../wgsl/index.ts'
import { columnsOf, type Contraction, placeSteps, type Window } from './contraction.ts'
import { gemm } from './gemm.ts'
import type { Layout } from './problem.ts'

/** A contraction of operands as they lie in their buffers. */
export interface Contract {
  readonly label: string
  readonly problem: Problem
  readonly contraction: Contraction
  readonly storage: readonly [a: Storage, b: Storage]
  /** The axis of the sum that the inner loop walks, the first unless said; the outer one takes the others. */
  readonly inner?: 'first' | 'last'
}

/** WGSL of how a contraction's operands are walked, and the uniform fields that it reads. */
interface Walks {
  readonly wgsl: string
  readonly params: Readonly<Record<string, number>>
}

/** The kernels of a contraction. All that it is made of are uniform numbers, so that one text serves every size. */
export function contract({ label, problem, contraction: c, storage, inner = 'first' }: Contract, target: Target): Kernel[] {
  const [m2, m1, m0] = c.sum
  const { wgsl, params } = c.b.window ? windowWalks(c, c.b.window, inner) : plainWalks(c)
  return gemm({
    label, problem, rows: c.rows, cols: columnsOf(c), batch: c.batch, ...(inner === 'first' ? { outer: m1 * m0, inner: m2 } : { outer: m2 * m1, inner: m0 }),
    rowStride: placeSteps(c.out).row, params, storage, walks: wgsl,
    ...(c.b.window ? inner === 'last' && { bLayout: { along: 'sum', multiple: 1 } } : {
      aLayout: layoutBySteps([c.a.batch, c.a.row, c.a.sum[0]], c.rows, m2), bLayout: layoutBySteps([c.b.batch, c.b.col, c.b.sum], columnsOf(c), m2),
    }),
  }, target)
}

/** How an operand lies whose batches, lines and elements of the sum are so many elements apart. */
function layoutBySteps([batch, line, k]: readonly [number, number, number], lines: number, inner: number): Layout {
  const along = k === 1 ? 'sum' : 'lines'
  const regular = [batch, along === 'sum' ? line : k, along === 'sum' ? inner : lines]
  return { along, multiple: [8, 4].find((n) => regular.every((x) => x % n === 0)) ?? 1 }
}

function plainWalks({ a, b, out }: Contraction): Walks {
  return {
    params: { a_batch: a.batch, a_row: a.row, a_k: a.sum[0], b_batch: b.batch, b_col: b.col, b_k: b.sum, o_batch: placeSteps(out).batch },
    wgsl: /* wgsl */ `
fn walk_a(z: u32, row: u32, k1: u32) -> Run { return inside(z * P.a_batch + row * P.a_row, P.a_k); }
fn column_base(z: u32, col: u32) -> vec3u { return vec3u(z * P.b_batch + col * P.b_col, 0u, 0u); }
fn outer_offset(k1: u32) -> vec3u { return vec3u(); }
fn walk_b(p: vec3u, t: vec3u) -> Run { return inside(p.x, P.b_k); }
fn out_column(z: u32, col: u32) -> u32 { return z * P.o_batch + col; }
`,
  }
}

function windowWalks(c: Contraction, window: Window, inner: 'first' | 'last'): Walks {
  const { a, b, cols: [, n1, n0], sum: [, m1, m0] } = c
  const out = placeSteps(c.out)
  // Rounds as two digits, and what each is worth in the left operand.
  const [radix, [high, low], step] = inner === 'first' ? [m0, [a.sum[1], a.sum[2]], a.sum[0]] as const : [m1, [a.sum[0], a.sum[1]], a.sum[2]] as const
  const even = high === low * radix
  const plane = n1 * n0
  const dense = out.cols[0] === plane
  return {
    params: {
      a_batch: a.batch, a_row: a.row, a_k: step, a_round: low, ...(even ? {} : { a_rounds: high }), radix,
      b_batch: b.batch, b_col: b.col, b_k: b.sum, plane, across: n0,
      height: window.size[0], width: window.size[1], pitch: window.pitch, y_offset: window.offset[0], x_offset: window.offset[1],
      y_col: window.cols[0], x_col: window.cols[1], y_sum: window.sum[0], x_sum: window.sum[1],
      ...(window.dilation && { y_dilation: window.dilation[0], x_dilation: window.dilation[1] }),
      o_batch: out.batch, ...(dense ? {} : { o_col: out.cols[0] }),
    },
    wgsl: /* wgsl */ `
fn walk_a(z: u32, row: u32, k1: u32) -> Run {
  return inside(z * P.a_batch + row * P.a_row + ${even ? 'k1 * P.a_round' : 'k1 / P.radix * P.a_rounds + k1 % P.radix * P.a_round'}, ${inner === 'last' && step === 1 ? '1u' : 'P.a_k'});
}
fn column_base(z: u32, col: u32) -> vec3u {
  let p = col % P.plane;
  return vec3u(z * P.b_batch + col / P.plane * P.b_col, p / P.across * P.y_col + P.y_offset, p % P.across * P.x_col + P.x_offset);
}
fn outer_offset(k1: u32) -> vec3u {
  let high = k1 / P.radix;
  let low = k1 - high * P.radix;
  return ${inner === 'first' ? 'vec3u(0u, high * P.y_sum, low * P.x_sum)' : 'vec3u(high * P.b_k, low * P.y_sum, 0u)'};
}
${inner === 'first' ? pixels(window.dilation !== undefined) : rows}fn out_column(z: u32, col: u32) -> u32 { return z * P.o_batch + ${dense ? 'col' : 'col / P.plane * P.o_col + col % P.plane'}; }
`,
  }
}

/** A round reads one pixel of as many images. */
const pixels = (dilated: boolean): string => /* wgsl */ `fn walk_b(p: vec3u, t: vec3u) -> Run {
  ${dilated ? `var y = p.y + t.y;
  var x = p.z + t.z;
  var ok = true;
  if (P.y_dilation * P.x_dilation > 1u) {
    ok = y % P.y_dilation == 0u && x % P.x_dilation == 0u;
    y /= P.y_dilation;
    x /= P.x_dilation;
  }
  ok = ok && y < P.height && x < P.width;` : `let y = p.y + t.y;
  let x = p.z + t.z;
  let ok = y < P.height && x < P.width;`}
  return Run(p.x + y * P.pitch + x, P.b_k, select(1u, 0u, ok), 0u, 1u);
}
`

/** A round reads a row of pixels. */
const rows = /* wgsl */ `fn walk_b(p: vec3u, t: vec3u) -> Run {
  let y = p.y + t.y;
  return Run(p.x + t.x + y * P.pitch + p.z, P.x_sum, p.z, P.x_sum, select(0u, P.width, y < P.height));
}
`
