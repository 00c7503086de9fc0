import { type Epilogue, type Problem } from '../../op.ts'
import { stridesOf } from '../../shape.ts'
import { reshapedView } from '../../view/index.ts'
import { output, pick, repeat, type Storage, texture } from '../../wgsl/index.ts'

/** Where something stands for each batch z and column: `offset + z·batch + c2·steps[0] + c1·steps[1] + c0·steps[2]`. */
export interface Place {
  readonly offset: number
  readonly batch: number
  readonly steps: readonly [number, number, number]
}

/** A {@link Place} of row 0, and what a row adds. */
export interface RowPlace extends Place {
  readonly row: number
}

/** Where results go. */
export interface Results {
  readonly problem: Problem
  readonly cols: number
  readonly radix: readonly [number, number]
  /** The output's axes, and where a row and column of the product stand in a view of them with these strides. */
  readonly shape: readonly number[]
  readonly place: (strides: readonly number[]) => RowPlace
  /** Whether a lane's four columns are no neighbours: then the text has them as `c`, a `vec4u`, `cols` standing for none. */
  readonly scattered?: boolean
}

/** A texture that takes results instead, whole blocks of rows of each batch, four columns a texel. */
export interface Texels {
  readonly texture: number
  readonly texels: number
}

/** The part of a product's text that stores a block of rows. */
export interface Store {
  readonly storage: readonly Storage[]
  readonly params: Readonly<Record<string, number>>
  readonly declarations: string
  /** Statements that store `count` rows `s0`, `s1`… from row `first` on: each holds four columns from `col` on, of batch z. */
  readonly statements: string
  readonly epilogue: Epilogue | undefined | null
}

/** WGSL of `fn place_NAME(z, col's digits) -> u32`, and its uniform fields. */
export function placeOf(name: string, { offset, batch, steps }: Place): { readonly params: Readonly<Record<string, number>>; readonly wgsl: string } {
  return {
    params: { [`${name}_offset`]: offset, [`${name}_batch`]: batch, [`${name}2`]: steps[0], [`${name}1`]: steps[1], [`${name}0`]: steps[2] },
    wgsl: `fn place_${name}(z: u32, d: vec3u) -> u32 { return P.${name}_offset + z * P.${name}_batch + d.x * P.${name}2 + d.y * P.${name}1 + d.z * P.${name}0; }\n`,
  }
}

/** How four neighbouring columns lie, the first of them a multiple of four: in one place, together in memory, or otherwise. */
function lies({ offset, batch, steps: [s2, s1, s0], row }: RowPlace, { cols, radix: [radix1, radix0] }: Results): 'one' | 'coalesced' | undefined {
  const merged = s1 !== s0 * radix0 ? 1 : s2 !== s1 * radix1 ? 2 : 3
  const even = [radix0, radix0 * radix1, cols][merged - 1] ?? 1
  if (even % 4 || cols % 4 || s0 > 1) return undefined
  if (s0 === 0) return 'one'
  return [offset, batch, row, ...[s1, s2].slice(merged - 1)].every((n) => n % 4 === 0) ? 'coalesced' : undefined
}

/**
 * Idea: a lane's four columns are neighbours, so that where they lie together in memory, as pixels of an image do, one access
 * stores them, and one reads them of what is added: three quarters of a product's accesses to buffers fall away, and what is
 * the same for all of them, a bias, is read once.
 */
export function storeOf(r: Results, outType: 'f32' | 'f16', rows: number): Store {
  const { epilogue } = r.problem
  const out = r.place(stridesOf(r.shape))
  const to = placeOf('o', out)
  const extras = (epilogue?.quad?.views ?? []).map((view) => {
    const seen = reshapedView({ ...view, shape: epilogue?.quad?.shape ?? [] }, r.shape)
    const place = seen && r.place(seen.strides)
    return seen && place && { ...place, offset: place.offset + seen.offset }
  })
  const lie = extras.map((e) => e && lies(e, r))
  const quads = !r.scattered && lies(out, r) === 'coalesced' && (!epilogue || epilogue.quad) && !lie.includes(undefined)
  if (!quads) {
    return {
      storage: [output(0, 'out', outType)], params: { ...to.params, o_row: out.row, four: 4 }, declarations: to.wgsl, epilogue,
      statements: /* wgsl */ `
    ${r.scattered ? '' : 'let c = col + vec4u(0u, 1u, 2u, 3u);'}
    var o = vec4u(place_o(z, digits(c.x)), place_o(z, digits(c.y)), place_o(z, digits(c.z)), place_o(z, digits(c.w))) + first * P.o_row;
    for (var i = 0u; i < count; i++) {
      var s = vec4f();
      ${pick('s', rows)}
      for (var j = 0u; j < P.four; j++) {
        if (c[j] < P.cols) { out[o[j]] = Scalar(epilogue(s[j], o[j])); }
      }
      o += vec4u(P.o_row);
    }`,
    }
  }
  const coalesced = lie.map((l) => l === 'coalesced')
  const names = extras.map((_, k) => `x${k}_`)
  const places = extras.map((e, k) => placeOf(names[k] ?? '', e as RowPlace))
  const fours = (k: number): string => (coalesced[k] ? ' / 4u' : '')
  const rowOf = (k: number): string => `P.${names[k]}row`
  return {
    storage: [output(0, 'out', `vec4<${outType}>`)],
    params: Object.assign({ ...to.params, o_row: out.row }, ...places.map((p) => p.params), Object.fromEntries(extras.map((e, k) => [`${names[k]}row`, (e?.row ?? 0) / (coalesced[k] ? 4 : 1)]))),
    declarations: to.wgsl + places.map((p) => p.wgsl).join(''),
    epilogue: epilogue?.quad && { ...epilogue, params: [], wgsl: (first) => epilogue.quad?.wgsl(first, coalesced) ?? '' },
    statements: /* wgsl */ `
    let d = digits(col);
    var o = (place_o(z, d) + first * P.o_row) / 4u;
    ${names.map((x, k) => `var ${x} = place_${x}(z, d)${fours(k)} + first * ${rowOf(k)};`).join('\n    ')}
    for (var i = 0u; i < count; i++) {
      var s = vec4f();
      ${pick('s', rows)}
      if (col < P.cols) { out[o] = vec4<Scalar>(${epilogue ? `epilogue(${['s', ...names].join(', ')})` : 's'}); }
      o += P.o_row / 4u;
      ${names.map((x, k) => `${x} += ${rowOf(k)};`).join(' ')}
    }`,
  }
}

/** {@link storeOf} for results that another kernel reads: texel `((z·blocks + block)·rows + row)·fours + four`. */
export function storeTexels({ texture: index, texels }: Texels, cols: number, rows: number): Store {
  return {
    storage: [texture(index, texels, 'out', 'write')], params: { fours: Math.ceil(cols / 4) }, declarations: '', epilogue: null,
    statements: /* wgsl */ `
    if (col < P.cols) {
      let o = (z * P.row_blocks * ${rows}u + first) * P.fours + col / 4u;
      ${repeat(rows, (i) => `textureStore(out, at(o + ${i}u * P.fours), s${i});`)}
    }`,
  }
}
