import type { Geometry } from '../../norm/index.ts'

/** As many groups of a norm as fill whole texels of four channels, a bundle in what follows. */
export interface TexelGroups {
  /** Groups of a bundle. */
  readonly size: number
  /** Bundles of all images' groups, and of one image's. */
  readonly items: number
  readonly perImage: number
  /**
   * Texels across a bundle's channels, and fours of pixels along a channel: a bundle has `fours · quads` blocks of 4×4
   * values.
   */
  readonly fours: number
  readonly quads: number
  /**
   * WGSL of `Each`, a number for each group of a bundle, and of `Owner`, the groups to which the four channels of a
   * texel belong: `owner(f, here)` is that of texel f, or none. `meet(o, v)` adds up by group what channels have,
   * `spread(o, e)` gives each channel what its group has; `part(e, j)` and `with_part(e, j, v)` read and set what
   * group j has.
   */
  readonly wgsl: string
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** The smallest bundles of a norm; its groups make whole ones only if their number is a multiple of `size`. */
export function texelGroupsOf({ batch, groups, channels, inner }: Geometry): TexelGroups {
  const size = 4 / gcd(channels, 4)
  return {
    size, items: batch * groups / size, perImage: groups / size, fours: size * channels / 4, quads: inner / 4,
    wgsl: size === 1 ? alone : shared,
  }
}

// Masks and not matrices of 0 and 1: 0 · NaN would take what is not finite from one group to the others.
const shared = /* wgsl */ `
alias Each = vec4f;
struct Owner { x: vec4u, y: vec4u, z: vec4u, w: vec4u }
fn owner(f: u32, here: bool) -> Owner {
  let group = select(vec4f(4), floor((vec4f(vec4u(4u * f) + vec4u(0u, 1u, 2u, 3u)) + 0.5) * P.channels_inverse), here);
  return Owner(one(group.x), one(group.y), one(group.z), one(group.w));
}
fn one(group: f32) -> vec4u { return select(vec4u(), vec4u(0xffffffffu), vec4f(group) == vec4f(0, 1, 2, 3)); }
fn only(v: f32, group: vec4u) -> vec4f { return bitcast<vec4f>(vec4u(bitcast<u32>(v)) & group); }
fn own(e: Each, group: vec4u) -> f32 { let b = bitcast<vec4u>(e) & group; return bitcast<f32>(b.x | b.y | b.z | b.w); }
fn meet(o: Owner, v: vec4f) -> Each { return only(v.x, o.x) + only(v.y, o.y) + only(v.z, o.z) + only(v.w, o.w); }
fn spread(o: Owner, e: Each) -> vec4f { return vec4f(own(e, o.x), own(e, o.y), own(e, o.z), own(e, o.w)); }
fn part(e: Each, j: u32) -> f32 { return e[j]; }
fn with_part(e: Each, j: u32, v: f32) -> Each { return select(e, vec4f(v), vec4u(j) == vec4u(0u, 1u, 2u, 3u)); }
`

// Groups that fill texels by themselves: matrices in place of this took llvmpipe 5 to 25 % longer.
const alone = /* wgsl */ `
alias Each = f32;
alias Owner = vec4f;
fn owner(f: u32, here: bool) -> Owner { return select(vec4f(), vec4f(1), here); }
fn meet(o: Owner, v: vec4f) -> Each { return dot(o, v); }
fn spread(o: Owner, e: Each) -> vec4f { return vec4f(e); }
fn part(e: Each, j: u32) -> f32 { return e; }
fn with_part(e: Each, j: u32, v: f32) -> Each { return v; }
`
