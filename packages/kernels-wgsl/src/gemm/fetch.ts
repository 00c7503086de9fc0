import { repeat } from '../wgsl/index.ts'
import { type Gemm, type Layout, layoutOf } from './problem.ts'

/** How the threads of a workgroup bring one operand's tile of a product, `lines` rows or columns by `depth` of the sum, to workgroup memory. */
export interface Fetch {
  readonly name: 'a' | 'b'
  readonly lines: number
  /** Elements that a thread reads at once, side by side along {@link Layout.along}. */
  readonly width: number
  readonly along: Layout['along']
  /** WGSL type of a read, and of the elements of the operand's buffer. */
  readonly type: string
  /** WGSL of what stays the same from tile to tile; `first` is the tile's first line. */
  readonly before: (first: string) => string
  /**
   * WGSL that declares what is on its way: what was read, and whether it is part of the product at all. That is looked at only
   * when it is stored, since whoever looks waits.
   */
  readonly vars: string
  /** WGSL that reads a thread's part of the tile at round `k1` and offset `k2` of the sum. */
  readonly read: string
  /** WGSL that hands each read on: `store` makes a statement of its line and its place in the sum within the tile, and of its value. */
  readonly store: (store: (line: string, k: string, value: string) => string) => string
}

/** A tile, the threads that read it, and elements and WGSL type of a read; more than one only where the layout has such multiples. */
export interface FetchOptions {
  readonly lines: number
  readonly depth: number
  readonly threads: number
  readonly width: 1 | 4 | 8
  readonly type: string
  /** Whether the sum ends where a tile does, so that nothing is beyond its end. */
  readonly whole: boolean
}

/**
 * Neighbouring threads read neighbours in memory. Lines beyond the last read the last again, since what they make is not
 * stored; beyond the end of the sum stand zeros.
 */
export function fetchTile(g: Gemm, name: 'a' | 'b', { lines, depth, threads, width, type, whole }: FetchOptions): Fetch {
  const { along } = layoutOf(g, name)
  const reads = lines * depth / width / threads
  const short = (along === 'sum' ? depth : lines) / width
  const quick = width === 1 ? `t % ${short}u` : `t % ${short}u * ${width}u`
  // With four reads a line the threads that store at once take lines four apart: in a tile padded by a read those lie in other banks.
  const slow = (i: number): string => `${along === 'sum' && width === 8 && short === 4 ? 't / 32u * 8u + t / 4u % 2u * 4u + t / 8u % 4u' : `t / ${short}u`} + ${i * threads / short}u`
  const [line, k] = along === 'sum' ? [slow, () => quick] : [() => quick, slow]
  const last = `${name === 'a' ? 'P.rows' : 'P.cols'} - ${along === 'lines' ? width : 1}u`
  // One line a thread where all its reads share it.
  const places = along === 'sum' ? reads : 1
  const own = (i: number): string => `${name}_line_${along === 'sum' ? i : 0}`
  const walk = (i: number): string => (name === 'a' ? `walk_a(z, ${own(i)}, k1)` : `walk_b(${own(i)}, outer_offset(k1))`)
  return {
    name, lines, width, along, type,
    before: (first) => repeat(places, (i) => {
      const at = `min(${first} + ${line(i)}, ${last})`
      return `let ${name}_line_${i} = ${name === 'a' ? at : `column_base(z, ${at})`};`
    }),
    vars: repeat(reads, (i) => `var ${name}_${i} = ${type}(); var ${name}_in_${i} = false;`),
    read: `{${places === 1 ? `\n      let w = ${walk(0)};` : ''}${repeat(reads, (i) => `{${places === 1 ? '' : `\n        let w = ${walk(i)};`}
        let k = k2 + ${k(i)};
        ${name}_in_${i} = ${whole ? '' : '(k < P.inner) & '}(w.x + k * w.dx < w.limit);
        ${name}_${i} = ${name}[select(0u, w.base + k * w.step, ${name}_in_${i})${width === 1 ? '' : ` / ${width}u`}];
      }`)}
      }`,
    store: (store) => repeat(reads, (i) => store(line(i), k(i), `select(${type}(), ${name}_${i}, ${name}_in_${i})`)),
  }
}

/**
 * WGSL of the walk over a workgroup's share of the sum, tile after tile: `store` puts what was read of an operand in workgroup
 * memory, `multiply` is what is done with a pair of tiles there, and meanwhile the pair after is read.
 */
export function walkSum(a: Fetch, b: Fetch, depth: number, store: (f: Fetch) => string, multiply: string): string {
  const read = `${a.read}\n${b.read}`
  return /* wgsl */ `
    ${a.vars}
    ${b.vars}
    let first = part * P.steps;
    let steps = min(P.steps, P.all_steps - first);
    var k1 = first / P.round;
    var k2 = first % P.round * ${depth}u;
    ${read}
    for (var step = 0u; step < steps; step++) {
      workgroupBarrier();
      ${store(a)}
      ${store(b)}
      workgroupBarrier();
      k2 += ${depth}u;
      if (k2 >= P.inner) { k2 = 0u; k1++; }
      if (step + 1u < steps) {
        ${read}
      }
      ${multiply}
    }`
}
