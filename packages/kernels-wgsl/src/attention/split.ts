import { stridedGroups } from '../dispatch.ts'
import type { DType, Kernel, Target } from '../op.ts'
import { assemble, leastFinite, scratch, type Storage, weightOf } from '../wgsl/index.ts'

/**
 * Results in parts: `[parts, vectors, depth]` of each sum, and of means `[parts, vectors, 2]`, the largest score of a
 * part and its sum.
 */
export interface Partial {
  readonly label: string
  readonly dtype: DType
  readonly parts: number
  readonly vectors: number
  readonly depth: number
  /** Output buffers by name. Parts of sums are added. */
  readonly sums: readonly Storage[]
  /** Where sums are means: the buffers of their log-sum-exps and statistics. */
  readonly means?: { readonly log: Storage; readonly statistics: Storage } | undefined
}

/** Where a part's results go: scratch buffers in f32, in place of the outputs of the same names. */
export function partStorage({ sums, means, parts, vectors, depth }: Partial): Storage[] {
  const stored = [...sums.map(({ name }) => [name, depth] as const), ...(means ? [[means.statistics.name, 2] as const] : [])]
  return stored.map(([name, each], i) => scratch(i, 4 * parts * vectors * each, name))
}

/**
 * WGSL that makes of the largest score `top` and the sum `total` of exponentials below it, each of type `R`, what
 * means are scaled by, `norm`, what is stored of the largest score, `high`, and the `log_sum`: 0 where no key was
 * seen, NaN where the sum is.
 */
export const finished = /* wgsl */ `
    let none = total == R();
    let wrong = not_number(total);
    let norm = select(1.0 / total, R(), none);
    let high = select(select(top, total, wrong), R(), none);
    let log_sum = select(select(top + log(total), total, wrong), R(), none);`

/** Puts parts together. A part that saw no key has a sum of 0, and so none of the weight. */
export function mergeParts(p: Partial, target: Target): Kernel {
  const { sums, means, parts, vectors, depth } = p
  const size = vectors * depth
  const from = partStorage(p).map((s) => ({ ...s, name: `part_${s.name}` }))
  const WG = 64
  const statistics = `part_${means?.statistics.name}`
  const weighed = means && /* wgsl */ `
    let v = i / P.depth;
    var top = ${leastFinite};
    for (var p = 0u; p < P.parts; p++) { top = max(top, ${statistics}[2u * (p * P.vectors + v)]); }
    var total = 0.0;
    for (var p = 0u; p < P.parts; p++) {
      let own = 2u * (p * P.vectors + v);
      let by = ${statistics}[own + 1u] * weight(${statistics}[own] - top);
      total += by;
      ${sums.map(({ name }) => `sum_${name} += by * part_${name}[p * P.size + i];`).join('\n      ')}
    }${finished}
    ${sums.map(({ name }) => `sum_${name} = select(sum_${name} * norm, 0.0, none);`).join('\n    ')}
    if (i % P.depth == 0u) { ${means.statistics.name}[2u * v] = high; ${means.statistics.name}[2u * v + 1u] = norm; ${means.log.name}[v] = log_sum; }`
  const added = /* wgsl */ `
    for (var p = 0u; p < P.parts; p++) {
      ${sums.map(({ name }) => `sum_${name} += part_${name}[p * P.size + i];`).join('\n      ')}
    }`
  return {
    ...assemble({
      label: `${p.label}/${p.dtype}/parts`,
      dtype: p.dtype,
      params: { parts, size, vectors, depth },
      storage: [...from, ...sums, ...(means ? [means.log, means.statistics] : [])],
      body: /* wgsl */ `
override WG: u32;
${means ? `alias R = f32;${weightOf(1)}` : ''}@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var i = w.x * WG + lane; i < P.size; i += groups.x * WG) {
    ${sums.map(({ name }) => `var sum_${name} = 0.0;`).join(' ')}${weighed ?? added}
    ${sums.map(({ name }) => `${name}[i] = Scalar(sum_${name});`).join(' ')}
  }
}
`,
      constants: { WG },
      workgroups: [stridedGroups(Math.ceil(size / WG), target), 1, 1],
      epilogue: null,
    }),
    share: 0,
  }
}
