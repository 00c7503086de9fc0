import type { Target } from '../op.ts'
import { pick, repeat } from '../wgsl/index.ts'
import { type Fetch, fetchTile, walkSum } from './fetch.ts'
import type { Form } from './form.ts'
import { type Gemm, layoutOf } from './problem.ts'

const threads = 256
const depth = 16

/**
 * Idea: 16×16 threads compute a tile of 128×128 (or 64×64), 8×8 (or 4×4) values each, from operand tiles in workgroup memory
 * that hold four neighbouring lines in a vector, so that a step of the sum is four vector loads for 64 multiply-adds. While
 * one pair of operand tiles is multiplied the next is on its way into registers. Indices are quotients and remainders of the
 * thread's own, which Dawn can prove to be inside and then does not check.
 *
 * Measured on an H100, 4096×4096×4096 in f32: 40 TFLOPS, 65% of what it reaches in multiply-adds alone (62), where 4×4 values
 * a thread reach 32. Written out once instead of sixteen times the inner loop falls to 27; reading before rather than during a
 * multiplication, to 20; one element a read instead of four, to 36; without the padding of a row of a tile, to 38.
 */
export function tiles(g: Gemm, own: 4 | 8, target: Target): Form {
  const side = 16 * own
  const halves = own / 4
  const line = side / 4 + 1
  const { unroll } = target.tuning
  const fetch = (name: 'a' | 'b'): Fetch => {
    const width = layoutOf(g, name).multiple % 4 === 0 ? 4 : 1
    return fetchTile(g, name, { lines: side, depth, threads, width, type: width === 4 ? 'vec4<Scalar>' : 'Scalar', whole: false })
  }
  const [a, b] = [fetch('a'), fetch('b')]
  const store = (f: Fetch): string => f.store((l, k, value) => {
    const at = (k: string): string => `tile_${f.name}[(${k}) * ${line}u + (${l}) / 4u]`
    if (f.width === 1) return `${at(k)}[(${l}) % 4u] = Acc(${value});`
    return f.along === 'lines' ? `${at(k)} = vec4f(${value});`
      : `{ let v = vec4f(${value}); ${repeat(4, (i) => `${at(`${k} + ${i}u`)}[(${l}) % 4u] = v[${i}];`, ' ')} }`
  })
  const values = own * halves
  return {
    name: `tiles${side}`,
    height: side,
    breadth: side,
    depth,
    threads,
    types: [a.type, b.type],
    declarations: /* wgsl */ `
var<workgroup> tile_a: array<vec4f, ${depth * line}>;
var<workgroup> tile_b: array<vec4f, ${depth * line}>;
`,
    tile: /* wgsl */ `    let tx = t % 16u;
    let ty = t / 16u;
    ${a.before('r')}
    ${b.before('c')}
    ${repeat(values, (i) => `var s${i} = vec4f();`, ' ')}
    ${walkSum(a, b, depth, store, `
      for (var k = 0u; k < ${depth / unroll}u; k++) {
        ${repeat(unroll, (u) => `{
        ${repeat(halves, (h) => `let x${h} = tile_a[k * ${unroll * line}u + ${u * line}u + ty + ${16 * h}u]; let y${h} = tile_b[k * ${unroll * line}u + ${u * line}u + tx + ${16 * h}u];`)}
        ${repeat(own, (i) => repeat(halves, (h) => `s${i * halves + h} += x${i >> 2}.${'xyzw'[i & 3]} * y${h};`, ' '))}
        }`)}
      }`)}
    for (var i = 0u; i < ${values}u; i++) {
      var s = vec4f();
      ${pick('s', values)}
      let row = r + ${halves === 1 ? 'ty * 4u + i' : 'i / 8u * 64u + ty * 4u + i / 2u % 4u'};
      let col = c + ${halves === 1 ? 'tx * 4u' : 'i % 2u * 64u + tx * 4u'};
      put4(z, part, row, col, s);
    }`,
  }
}

/** Bytes of workgroup memory that {@link tiles} takes. */
export function tilesBytes(own: 4 | 8): number {
  return 2 * 16 * depth * (4 * own + 1)
}
