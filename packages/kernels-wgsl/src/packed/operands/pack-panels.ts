import { f32Bits, type Kernel, type Target } from '../../op.ts'
import { quotientFits } from '../../wgsl/index.ts'
import { type Packed, packKernel } from './pack.ts'

/** A strided operand to be packed into panels. */
export interface Panels extends Packed {
  readonly batch: number
  /** Rows of the operand, rows of one panel, and panels of one batch; rows beyond the operand are zero. */
  readonly rows: number
  readonly width: number
  readonly panels: number
  /** Rounds of the sum, and elements of one round, of which four make a texel; a tail counts as zero. */
  readonly outer: number
  readonly length: number
  /** Texels of a round if there are more than its elements fill: the others are zero. */
  readonly inner?: number
  /**
   * Element k of round k1: `offset + (z / heads)·batch + (z % heads)·head + row·row + (k1 / radix)·turns[0] + (k1 %
   * radix)·turns[1] + k·element`, with one head unless said.
   */
  readonly steps: {
    readonly offset?: number
    readonly batch: number
    readonly heads?: number
    readonly head?: number
    readonly row: number
    readonly radix: number
    readonly turns: readonly [number, number]
    readonly element: number
  }
}

const innerOf = ({ length, inner }: Pick<Panels, 'length' | 'inner'>): number => inner ?? Math.ceil(length / 4)

/** Texels of the panels. */
export function panelTexels(p: Pick<Panels, 'batch' | 'panels' | 'width' | 'outer' | 'length' | 'inner'>): number {
  return p.batch * p.panels * p.width * p.outer * innerOf(p)
}

/**
 * Idea: texel `(((z·panels + panel)·outer + k1)·inner + k2)·width + r` holds elements 4·k2 … 4·k2 + 3 of row r of the
 * panel, so that the lanes of a product read neighbours. A workgroup is one subgroup and packs whole rounds of a
 * panel, because decomposing an index costs a software adapter more than moving the element: 1 G elements a second on
 * two cores.
 */
export function packPanels(p: Panels, target: Target): Kernel {
  const inner = innerOf(p)
  const items = p.batch * p.panels * p.outer
  const heads = p.steps.heads ?? 1
  return packKernel(p, {
    name: 'pack-panels', texels: panelTexels(p), items,
    params: {
      panels: p.panels, width: p.width, rows: p.rows, outer: p.outer, inner, length: p.length,
      'of_outer: f32': f32Bits(1 / p.outer), 'of_panels: f32': f32Bits(1 / p.panels), 'of_radix: f32': f32Bits(1 / p.steps.radix),
      'of_heads: f32': f32Bits(1 / heads), heads, head_step: p.steps.head ?? 0,
      offset: p.steps.offset ?? 0, batch_step: p.steps.batch, row_step: p.steps.row,
      radix: p.steps.radix, turn1: p.steps.turns[0], turn0: p.steps.turns[1], step: p.steps.element,
    },
    quick: quotientFits(items, p.outer) && quotientFits(p.batch * p.panels, p.panels) && quotientFits(p.outer, p.steps.radix) &&
      quotientFits(p.batch, heads),
    each: /* wgsl */ `
    let panel = over(item, P.outer, P.of_outer);
    let k1 = item - panel * P.outer;
    let z = over(panel, P.panels, P.of_panels);
    let turn = over(k1, P.radix, P.of_radix);
    let first = over(z, P.heads, P.of_heads);
    let start = P.offset + first * P.batch_step + (z - first * P.heads) * P.head_step + turn * P.turn1 + (k1 - turn * P.radix) * P.turn0;
    for (var r = lane; r < P.width; r += WG) {
      let row = (panel - z * P.panels) * P.width + r;
      let length = select(0u, P.length, row < P.rows);
      var e = start + min(row, P.rows - 1u) * P.row_step;
      var t = item * P.inner * P.width + r;
      for (var k = 0u; k < 4u * P.inner; k += 4u) {
        let v = vec4f(Acc(x[e]), Acc(x[e + P.step]), Acc(x[e + 2u * P.step]), Acc(x[e + 3u * P.step]));
        textureStore(texels, at(t), select(vec4f(), v, k + vec4u(0u, 1u, 2u, 3u) < vec4u(length)));
        e += 4u * P.step;
        t += P.width;
      }
    }
  `,
  }, target)
}
