/** Words 0 to 3 of a Philox counter, least significant first. */
export type Counter = readonly [number, number, number, number]

/**
 * Philox 4x32-10: four unsigned words from a 128-bit counter and a 64-bit key, in plain u32 arithmetic.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.2.
 */
export function philoxBlock(counter: Counter, [k0, k1]: readonly [number, number]): Counter {
  let [c0, c1, c2, c3] = counter
  for (let round = 0; round < 10; round++) {
    const a = c0
    const b = c2
    c0 = (mulHigh(b, 0xcd9e8d57) ^ c1 ^ k0) >>> 0
    c1 = Math.imul(b, 0xcd9e8d57) >>> 0
    c2 = (mulHigh(a, 0xd2511f53) ^ c3 ^ k1) >>> 0
    c3 = Math.imul(a, 0xd2511f53) >>> 0
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3]
}

/**
 * Upper half of the 64-bit product of two words. Each sum stays below 2^53 and is exact: a 32-bit times a 16-bit number,
 * and what is left of another such product without its lowest 16 bits.
 */
function mulHigh(a: number, b: number): number {
  return Math.floor((a * (b >>> 16) + Math.floor(a * (b & 0xffff) / 65536)) / 65536)
}

/**
 * The same block in WGSL. There is no 64-bit product, so its upper half is built from 16-bit halves: `mid` and `cross`
 * stay below 2^32 because each is a product of 16-bit numbers plus at most two 16-bit carries.
 */
export const philoxWgsl: string = /* wgsl */ `
fn mul_high(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let mid = ah * bl + ((al * bl) >> 16u);
  let cross = al * bh + (mid & 0xffffu);
  return ah * bh + (mid >> 16u) + (cross >> 16u);
}
fn philox(counter: vec4u, seed: vec2u) -> vec4u {
  var c = counter;
  var k = seed;
  for (var round = 0u; round < 10u; round++) {
    c = vec4u(mul_high(0xcd9e8d57u, c.z) ^ c.y ^ k.x, 0xcd9e8d57u * c.z, mul_high(0xd2511f53u, c.x) ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
`
