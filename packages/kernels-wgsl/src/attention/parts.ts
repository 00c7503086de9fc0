import { stridedGroups } from '../dispatch.ts'
import type { DType, Kernel, Target } from '../op.ts'
import { assemble, lowest, scratch, type Storage } from '../wgsl/index.ts'

/** Results in parts: `[parts, vectors, depth]` of each sum, and `[parts, vectors]` of the logarithms by which they are weighed. */
export interface Partial {
  readonly label: string
  readonly dtype: DType
  readonly parts: number
  readonly vectors: number
  readonly depth: number
  /** Output buffers by name. Without `log` parts are added; with it they are means, each of weight `exp(log)`. */
  readonly sums: readonly Storage[]
  readonly log?: Storage | undefined
}

/** Where a part's results go: scratch buffers in f32, in place of the outputs of the same names. */
export function partStorage({ sums, log, parts, vectors, depth }: Partial): Storage[] {
  const sizes = [...sums.map(() => vectors * depth), ...(log ? [vectors] : [])]
  return [...sums, ...(log ? [log] : [])].map(({ name }, i) => scratch(i, 4 * parts * (sizes[i] ?? 0), name))
}

/** Puts parts together. A part that saw no key has the lowest logarithm, and none of the weight unless all have. */
export function mergeParts(p: Partial, target: Target): Kernel {
  const { sums, log, parts, vectors, depth } = p
  const size = vectors * depth
  const from = partStorage(p).map((s) => ({ ...s, name: `part_${s.name}` }))
  const WG = 64
  const weighed = log && /* wgsl */ `
    let v = i / P.depth;
    var top = ${lowest};
    for (var p = 0u; p < P.parts; p++) { top = max(top, part_${log.name}[p * P.vectors + v]); }
    let some = top > ${lowest};
    var total = 0.0;
    for (var p = 0u; p < P.parts; p++) {
      let weight = exp(part_${log.name}[p * P.vectors + v] - top);
      total += weight;
      ${sums.map(({ name }) => `sum_${name} += weight * part_${name}[p * P.size + i];`).join('\n      ')}
    }
    ${sums.map(({ name }) => `sum_${name} = select(0.0, sum_${name} / total, some);`).join('\n    ')}
    if (i % P.depth == 0u) { ${log.name}[v] = select(0.0, top + log(total), some); }`
  const added = /* wgsl */ `
    for (var p = 0u; p < P.parts; p++) {
      ${sums.map(({ name }) => `sum_${name} += part_${name}[p * P.size + i];`).join('\n      ')}
    }`
  return {
    ...assemble({
      label: `${p.label}/${p.dtype}/parts`,
      dtype: p.dtype,
      params: { parts, size, vectors, depth },
      storage: [...from, ...sums, ...(log ? [log] : [])],
      body: /* wgsl */ `
override WG: u32;
@compute @workgroup_size(WG)
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
