import { f32Bits } from '../../op.ts'
import { over, quotientFits } from '../../wgsl/index.ts'

/** Steps of three digits of a column number, `col = (c2·radix[0] + c1)·radix[1] + c0`. */
export interface Columns {
  readonly radix: readonly [number, number]
}

/**
 * The digits of column numbers below `cols`: WGSL of `fn digits(col: u32) -> vec3u`, its uniform fields, and whether
 * they come by reciprocals.
 */
export function digitsOf({ radix: [radix1, radix0] }: Columns, cols: number): { readonly quick: boolean; readonly params: Readonly<Record<string, number>>; readonly wgsl: string } {
  const quick = quotientFits(cols, radix0) && quotientFits(cols / radix0, radix1)
  return {
    quick,
    params: { radix1, radix0, 'inverse1: f32': f32Bits(1 / radix1), 'inverse0: f32': f32Bits(1 / radix0) },
    wgsl: /* wgsl */ `${over(quick)}
fn digits(col: u32) -> vec3u {
  let c = over(col, P.radix0, P.inverse0);
  let b = over(c, P.radix1, P.inverse1);
  return vec3u(b, c - b * P.radix1, col - c * P.radix0);
}
`,
  }
}
