/**
 * WGSL of the least finite f32, with which a maximum of scores begins. It is finite so that a difference from it is never −∞ − −∞, and
 * no score but −∞ is below it.
 */
export const leastFinite = '-0x1.fffffep+127'

/** The bits of −∞, for a uniform word: no WGSL constant may be infinite. */
export const minusInfinityBits = 0xff800000

/**
 * WGSL of `fn not_number(x: T)` and of `fn weight(d: T) -> T`, the exponential of a score less the largest one, where `T` is f32 or a
 * vector of them: exactly 0 where that is below half of the least f32, of −∞ too, and NaN of NaN, as of ∞ − ∞. By bits, since WGSL
 * lets a compiler assume that no float is NaN, and llvmpipe's `exp` makes a number of it.
 */
export function weightOf(width: number): string {
  const [float, word] = width === 1 ? ['f32', 'u32'] : [`vec${width}f`, `vec${width}u`]
  return /* wgsl */ `
fn not_number(x: ${float}) -> ${width === 1 ? 'bool' : `vec${width}<bool>`} { return (bitcast<${word}>(x) & ${word}(0x7fffffffu)) > ${word}(0x7f800000u); }
fn weight(d: ${float}) -> ${float} { return select(select(exp(d), ${float}(), d < ${float}(-104.0)), d, not_number(d)); }
`
}
