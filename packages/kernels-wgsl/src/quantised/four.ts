import type { BlockType } from '../block-types.ts'

/** Bytes of `blocks`, which begin at even ones, and four bytes of a word as numbers. */
const bytes = /* wgsl */ `
fn word(at: u32) -> u32 {
  let low = blocks[at >> 2u];
  if ((at & 2u) == 0u) { return low; }
  return (low >> 16u) | (blocks[(at >> 2u) + 1u] << 16u);
}
fn half(at: u32) -> f32 { return unpack2x16float(blocks[at >> 2u] >> (8u * (at & 2u))).x; }
fn apart(w: u32) -> vec4f { return vec4f((vec4u(w) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u)); }
`

/** The four nibbles of quad j of 32 numbers, of which the low ones come first, in a byte each. */
const nibbles = /* wgsl */ `
fn nibbles(at: u32, j: u32) -> u32 { return (word(at + 4u * (j & 3u)) >> (j & 4u)) & 0x0f0f0f0fu; }
`

/** Bits 4j to 4j + 3 of a word as the fifth bit of a byte each. */
const fifth = /* wgsl */ `
fn fifth(at: u32, j: u32) -> u32 {
  let b = word(at) >> (4u * j);
  return ((b & 1u) << 4u) | ((b & 2u) << 11u) | ((b & 4u) << 18u) | ((b & 8u) << 25u);
}
`

/** Bytes from any one on, and scale and least value, of 6 bits each, of one of the eight parts of a block of 256. */
const parts = /* wgsl */ `
fn byte(at: u32) -> u32 { return (blocks[at >> 2u] >> (8u * (at & 3u))) & 255u; }
fn scaled(at: u32, part: u32, q: vec4f) -> vec4f {
  let s = at + 4u + part;
  var scale = byte(s) & 63u;
  var least = byte(s + 4u) & 63u;
  if (part >= 4u) {
    let both = byte(s + 4u);
    scale = (both & 15u) | ((byte(s - 4u) >> 6u) << 4u);
    least = (both >> 4u) | ((byte(s) >> 6u) << 4u);
  }
  return half(at) * f32(scale) * q - half(at + 2u) * f32(least);
}
`

/** What `four` begins with, and its body, of each type. */
const fours: Readonly<Record<BlockType, readonly [helpers: string, body: string]>> = {
  q4_0: [nibbles, 'return half(at) * (apart(nibbles(at + 2u, j)) - 8.0);'],
  q4_1: [nibbles, 'return half(at) * apart(nibbles(at + 4u, j)) + half(at + 2u);'],
  q5_0: [nibbles + fifth, 'return half(at) * (apart(nibbles(at + 6u, j) | fifth(at + 2u, j)) - 16.0);'],
  q5_1: [nibbles + fifth, 'return half(at) * apart(nibbles(at + 8u, j) | fifth(at + 4u, j)) + half(at + 2u);'],
  q8_0: ['', `let w = bitcast<i32>(word(at + 2u + 4u * j));
  return half(at) * vec4f(vec4i(extractBits(w, 0u, 8u), extractBits(w, 8u, 8u), extractBits(w, 16u, 8u), extractBits(w, 24u, 8u)));`],
  q4_k: [parts, `let part = j >> 3u;
  let w = word(at + 16u + 32u * (part >> 1u) + 4u * (j & 7u));
  return scaled(at, part, apart((w >> (4u * (part & 1u))) & 0x0f0f0f0fu));`],
  q5_k: [parts, `let part = j >> 3u;
  let w = word(at + 48u + 32u * (part >> 1u) + 4u * (j & 7u));
  let high = ((word(at + 16u + 4u * (j & 7u)) >> part) & 0x01010101u) << 4u;
  return scaled(at, part, apart(((w >> (4u * (part & 1u))) & 0x0f0f0f0fu) | high));`],
  // Two halves of 128; in each, four rows of 32, whose low bits are the nibbles of two rows of bytes.
  q6_k: ['', `let side = j >> 5u;
  let row = (j >> 3u) & 3u;
  let column = 4u * (j & 7u);
  let low = (word(at + 64u * side + 32u * (row & 1u) + column) >> (2u * (row & 2u))) & 0x0f0f0f0fu;
  let high = ((word(at + 128u + 32u * side + column) >> (2u * row)) & 0x03030303u) << 4u;
  let s = at + 192u + (j >> 2u);
  let scale = extractBits(bitcast<i32>(blocks[s >> 2u]), 8u * (s & 3u), 8u);
  return half(at + 208u) * f32(scale) * (apart(low | high) - 32.0);`],
}

/**
 * WGSL of `fn four(at: u32, j: u32) -> vec4f`, numbers 4j to 4j + 3 of the block that begins at byte `at` of `blocks`.
 * Source: ggml, ggml-quants.c (dequantize_row_…).
 */
export function fourOf(type: BlockType): string {
  const [helpers, body] = fours[type]
  return `${bytes}${helpers}fn four(at: u32, j: u32) -> vec4f {
  ${body}
}`
}
